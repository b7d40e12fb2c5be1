package main

import (
	"runtime"
	"sort"
	"sync/atomic"
	"time"
)

const period = 5 * time.Millisecond

// The Go contender of benchmarks/sleepers.py.
func sleepers(n int) float64 {
	warmUp()
	start := time.Now()
	together(n, func(int) { time.Sleep(time.Millisecond) })
	return since(start)
}

// The Go contender of benchmarks/timers.py.
func timers(n int) float64 {
	warmUp()
	time.NewTimer(time.Hour).Stop()
	start := time.Now()
	for i := 0; i < n; i++ {
		if time.NewTimer(time.Hour).Stop() {
			sink++
		}
	}
	return each(start, n)
}

// The Go contender of benchmarks/timer_idle.py. What counts is when its goroutine runs again.
func timerIdle(n int) float64 {
	late := make([]float64, n)
	for i := range late {
		due := time.Now().Add(period)
		<-time.NewTimer(period).C
		late[i] = time.Since(due).Seconds()
	}
	return worstButOnePercent(late)
}

// The Go contender of benchmarks/timer_loaded.py. What counts is when its goroutine runs again.
func timerLoaded(n int) float64 {
	const thousand = 1000
	var stop int32
	done := make(chan struct{})
	go func() {
		together(thousand, func(int) {
			for atomic.LoadInt32(&stop) == 0 {
				runtime.Gosched()
			}
		})
		close(done)
	}()
	late := make([]float64, n)
	for i := range late {
		due := time.Now().Add(period)
		<-time.NewTimer(period).C
		late[i] = time.Since(due).Seconds()
	}
	atomic.StoreInt32(&stop, 1)
	<-done
	return worstButOnePercent(late)
}

// The 99th percentile, as in benchmarks/timer_idle.py.
func worstButOnePercent(late []float64) float64 {
	sort.Float64s(late)
	at := len(late) * 99 / 100
	if len(late) >= 100 {
		at--
	}
	return late[at]
}
