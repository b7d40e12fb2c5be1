package main

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// n goroutines that wait for one channel.
type waiting struct {
	gate       chan struct{}
	here, gone sync.WaitGroup
}

// Start them, and return when all of them wait, or are just about to.
func park(n int) *waiting {
	w := &waiting{gate: make(chan struct{})}
	w.here.Add(n)
	w.gone.Add(n)
	for i := 0; i < n; i++ {
		go w.wait()
	}
	w.here.Wait()
	return w
}

func (w *waiting) wait() {
	w.here.Done()
	<-w.gate
	w.gone.Done()
}

// Let them go on, and return when the last one is done.
func (w *waiting) release() {
	close(w.gate)
	w.gone.Wait()
}

// The Go contender of benchmarks/parked.py: bytes, not seconds.
func parked(n int) float64 {
	warmUp()
	before := resident()
	w := park(n)
	each := float64(resident()-before) / float64(n)
	w.release()
	return each
}

// The Go contender of benchmarks/parked_time.py.
func parkedTime(n int) float64 {
	warmUp()
	start := time.Now()
	park(n).release()
	return each(start, n)
}

// The bytes of this process that are in memory.
func resident() int {
	runtime.GC()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.Atoi(string(bytes.Fields(statm)[1]))
	if err != nil {
		panic(err)
	}
	return pages * os.Getpagesize()
}
