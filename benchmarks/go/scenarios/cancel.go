package main

import (
	"context"
	"sync"
	"time"
)

// The Go contender of benchmarks/cancel.py.
func cancel(n int) float64 {
	parent := context.Background()
	start := time.Now()
	for i := 0; i < n; i++ {
		_, cancel := context.WithCancel(parent)
		cancel()
	}
	return each(start, n)
}

// The Go contender of benchmarks/cancel_tree.py.
func cancelTree(n int) float64 {
	tree()
	start := time.Now()
	for i := 0; i < n; i++ {
		tree()
	}
	return each(start, n)
}

// Make ten contexts below one and ten below each, and a goroutine for each leaf. When all wait, or are
// just about to, cancel the root, and wait until the last one has ended.
func tree() {
	var waiting, ended sync.WaitGroup
	waiting.Add(ten * ten)
	ended.Add(ten * ten)
	root, cancel := context.WithCancel(context.Background())
	for i := 0; i < ten; i++ {
		middle := below(root)
		for i := 0; i < ten; i++ {
			leaf := below(middle)
			go func() {
				done := leaf.Done()
				waiting.Done()
				<-done
				ended.Done()
			}()
		}
	}
	waiting.Wait()
	cancel()
	ended.Wait()
}

// Make a context that only its parent cancels.
func below(parent context.Context) context.Context {
	ctx, cancel := context.WithCancel(parent)
	_ = cancel
	return ctx
}
