package main

import (
	"runtime"
	"time"
)

const ten = 10

// The Go contender of benchmarks/yield_ten.py.
func yieldTen(n int) float64 {
	warmUp()
	mine := part(n, ten)
	start := time.Now()
	together(ten, func(int) {
		for i := 0; i < mine; i++ {
			runtime.Gosched()
		}
	})
	return each(start, ten*mine)
}

// The Go contender of benchmarks/deep_0.py, deep_50.py and deep_200.py. A switch does not copy the
// stack here; what a deep one costs is its growth, once.
func deep(n, depth int) float64 {
	warmUp()
	mine := part(n, ten)
	var found [ten]int
	start := time.Now()
	together(ten, func(i int) { found[i] = dive(depth, mine) })
	took := each(start, ten*mine)
	for _, frames := range found {
		sink += frames
	}
	return took
}

// Yield so many times, at so many calls of this function below the first.
//
//go:noinline
func dive(depth, turns int) int {
	if depth > 0 {
		return dive(depth-1, turns) + 1
	}
	for i := 0; i < turns; i++ {
		runtime.Gosched()
	}
	return 1
}
