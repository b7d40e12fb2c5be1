package main

import (
	"sync"
	"time"
)

// The Go contender of benchmarks/spawn_join.py. A goroutine here cannot be joined; it says that it
// is done over a channel, which is the same for all.
func spawnJoin(n int) float64 {
	warmUp()
	done := make(chan struct{})
	start := time.Now()
	for i := 0; i < n; i++ {
		go func() { done <- struct{}{} }()
		<-done
	}
	return each(start, n)
}

// The Go contender of benchmarks/spawn_many.py.
func spawnMany(n int) float64 {
	warmUp()
	var group sync.WaitGroup
	start := time.Now()
	group.Add(n)
	for i := 0; i < n; i++ {
		go group.Done()
	}
	group.Wait()
	return since(start)
}

// The Go contender of benchmarks/collect.py: each has a slot of its own for its result.
func collect(n int) float64 {
	warmUp()
	start := time.Now()
	results := make([]int, n)
	together(n, func(i int) { results[i] = i })
	took := since(start)
	for _, result := range results {
		sink += result
	}
	return took
}

// The Go contender of benchmarks/million.py.
func million(n int) float64 {
	const wave = 1000
	warmUp()
	var group sync.WaitGroup
	start := time.Now()
	for left := n; left > 0; left -= wave {
		size := wave
		if left < wave {
			size = left
		}
		group.Add(size)
		for i := 0; i < size; i++ {
			go group.Done()
		}
		group.Wait()
	}
	return each(start, n)
}
