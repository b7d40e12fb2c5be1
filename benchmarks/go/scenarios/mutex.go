package main

import (
	"runtime"
	"sync"
	"time"
)

// The Go contender of benchmarks/mutex.py.
func mutex(n int) float64 {
	var mutex sync.Mutex
	warmUp()
	start := time.Now()
	for i := 0; i < n; i++ {
		mutex.Lock()
		mutex.Unlock()
	}
	return each(start, n)
}

// The Go contender of benchmarks/mutex_fight.py.
func mutexFight(n int) float64 {
	const eight = 8
	var mutex sync.Mutex
	warmUp()
	mine := part(n, eight)
	start := time.Now()
	together(eight, func(int) {
		for i := 0; i < mine; i++ {
			mutex.Lock()
			runtime.Gosched()
			mutex.Unlock()
		}
	})
	return each(start, eight*mine)
}
