package main

import "time"

const (
	size      = 100 // of a buffered channel
	stages    = 4
	producers = 100
	crew      = 10
)

// The Go contender of benchmarks/pingpong.py.
func pingpong(n int) float64 {
	there, back := make(chan int), make(chan int)
	warmUp()
	start := time.Now()
	together(2, func(i int) {
		if i == 0 {
			for i := 0; i < n; i++ {
				back <- <-there
			}
		} else {
			for i := 0; i < n; i++ {
				there <- i
				<-back
			}
		}
	})
	return each(start, n)
}

// The Go contender of benchmarks/buffered.py.
func buffered(n int) float64 {
	ch := make(chan int, size)
	warmUp()
	start := time.Now()
	together(2, func(i int) {
		if i == 0 {
			for i := 0; i < n; i++ {
				ch <- i
			}
		} else {
			for i := 0; i < n; i++ {
				<-ch
			}
		}
	})
	return each(start, n)
}

// The Go contender of benchmarks/pipeline.py.
func pipeline(n int) float64 {
	warmUp()
	start := time.Now()
	first := make(chan int, size)
	go func() {
		for i := 0; i < n; i++ {
			first <- i
		}
		close(first)
	}()
	last := first
	for i := 0; i < stages; i++ {
		in, out := last, make(chan int, size)
		go func() {
			for item := range in {
				out <- item + 1
			}
			close(out)
		}()
		last = out
	}
	for item := range last {
		sink += item
	}
	return each(start, n)
}

// The Go contender of benchmarks/fan_in.py.
func fanIn(n int) float64 {
	ch := make(chan int)
	warmUp()
	mine := part(n, producers)
	start := time.Now()
	for i := 0; i < producers; i++ {
		go func() {
			for i := 0; i < mine; i++ {
				ch <- i
			}
		}()
	}
	for i := 0; i < producers*mine; i++ {
		sink += <-ch
	}
	return each(start, producers*mine)
}

// The Go contender of benchmarks/workers.py.
func workers(n int) float64 {
	jobs, results := make(chan int, size), make(chan int, size)
	warmUp()
	start := time.Now()
	for i := 0; i < crew; i++ {
		go func() {
			for job := range jobs {
				results <- job + 1
			}
		}()
	}
	go func() {
		for i := 0; i < n; i++ {
			jobs <- i
		}
		close(jobs)
	}()
	for i := 0; i < n; i++ {
		sink += <-results
	}
	return each(start, n)
}
