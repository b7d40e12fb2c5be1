package main

import (
	"reflect"
	"time"
)

// Make k channels, and time how n items are received that a producer sends to them in turn.
func selecting(n, k int, receive func(channels []chan int)) float64 {
	channels := make([]chan int, k)
	for i := range channels {
		channels[i] = make(chan int, 10)
	}
	warmUp()
	start := time.Now()
	go func() {
		for i := 0; i < n; i++ {
			channels[i%k] <- i
		}
	}()
	receive(channels)
	return each(start, n)
}

// The Go contender of benchmarks/select_two.py.
func selectTwo(n int) float64 {
	return selecting(n, 2, func(channels []chan int) {
		one, two := channels[0], channels[1]
		for i := 0; i < n; i++ {
			select {
			case item := <-one:
				sink += item
			case item := <-two:
				sink += item
			}
		}
	})
}

// The Go contender of benchmarks/select_eight.py: a select statement with eight cases, all written
// out, as a Go program would have it.
func selectEight(n int) float64 {
	return selecting(n, 8, func(channels []chan int) {
		c0, c1, c2, c3 := channels[0], channels[1], channels[2], channels[3]
		c4, c5, c6, c7 := channels[4], channels[5], channels[6], channels[7]
		for i := 0; i < n; i++ {
			select {
			case item := <-c0:
				sink += item
			case item := <-c1:
				sink += item
			case item := <-c2:
				sink += item
			case item := <-c3:
				sink += item
			case item := <-c4:
				sink += item
			case item := <-c5:
				sink += item
			case item := <-c6:
				sink += item
			case item := <-c7:
				sink += item
			}
		}
	})
}

// The Go contender of benchmarks/select_64.py: with reflect.Select, which is what a Go program has
// for so many. It makes a list of its own from the cases, each time.
func select64(n int) float64 {
	return selecting(n, 64, func(channels []chan int) {
		cases := make([]reflect.SelectCase, len(channels))
		for i, ch := range channels {
			cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ch)}
		}
		for i := 0; i < n; i++ {
			_, item, _ := reflect.Select(cases)
			sink += int(item.Int())
		}
	})
}
