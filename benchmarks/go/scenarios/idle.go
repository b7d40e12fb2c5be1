package main

import (
	"syscall"
	"time"
)

// The Go contender of benchmarks/idle.py: percent, not seconds.
func idle(n int) float64 {
	gate, done := make(chan struct{}), make(chan struct{})
	go func() {
		<-gate
		close(done)
	}()
	together(20, func(int) { announced(10 * time.Millisecond) })
	wait := time.Duration(n) * 100 * time.Millisecond
	time.Sleep(wait)
	cpu, start := processTime(), time.Now()
	time.Sleep(wait)
	share := 100 * (processTime() - cpu).Seconds() / since(start)
	close(gate)
	<-done
	return share
}

// The CPU time of this process until now.
func processTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
