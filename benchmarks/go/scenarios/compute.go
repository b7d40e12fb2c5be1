package main

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"math/rand"
	"time"
)

const (
	many    = 64
	sixteen = 16
	block   = 1000000 // bytes
)

// The Go contender of benchmarks/fanout.py.
func fanout(n int) float64 {
	warmUp()
	var results [many]int
	start := time.Now()
	together(many, func(i int) { results[i] = burn(n) })
	took := since(start)
	for _, result := range results {
		sink += result
	}
	return took
}

// Keep a CPU busy.
func burn(n int) int {
	total := 0
	for i := 0; i < n; i++ {
		total = (total*31 + i) & 0x7F
	}
	return total
}

// The Go contender of benchmarks/sieve.py: the concurrent prime sieve of go.dev, to the n-th prime.
// The goroutines that are left over end with the process.
func sieve(n int) float64 {
	warmUp()
	start := time.Now()
	ch := make(chan int)
	go generate(ch)
	for i := 0; i < n; i++ {
		prime := <-ch
		sink = prime
		next := make(chan int)
		go filter(ch, next, prime)
		ch = next
	}
	return since(start)
}

func generate(ch chan<- int) {
	for i := 2; ; i++ {
		ch <- i
	}
}

func filter(in <-chan int, out chan<- int, prime int) {
	for {
		if i := <-in; i%prime != 0 {
			out <- i
		}
	}
}

// The Go contender of benchmarks/n_queens.py.
func nQueens(n int) float64 {
	board, counts := uint(1)<<n-1, make(chan int)
	warmUp()
	start := time.Now()
	ways := placements(board)
	for _, way := range ways {
		way := way
		go func() { counts <- solutions(board, way.columns, way.left, way.right) }()
	}
	for range ways {
		sink += <-counts
	}
	return since(start)
}

// The columns and diagonals that are taken in the next row, a bit for each field.
type placed struct{ columns, left, right uint }

// All ways to place one queen more.
func (p placed) longer(board uint) []placed {
	var ways []placed
	for queen := uint(1); queen <= board; queen <<= 1 {
		if queen&(p.columns|p.left|p.right) == 0 {
			ways = append(ways, placed{p.columns | queen, (p.left | queen) << 1, (p.right | queen) >> 1})
		}
	}
	return ways
}

// All ways to place the first two queens; the first, if there is only one.
func placements(board uint) []placed {
	ones := placed{}.longer(board)
	if board == 1 {
		return ones
	}
	var twos []placed
	for _, one := range ones {
		twos = append(twos, one.longer(board)...)
	}
	return twos
}

// Count the ways to place the queens that are missing.
func solutions(board, columns, left, right uint) int {
	if columns == board {
		return 1
	}
	count := 0
	for free := board &^ (columns | left | right); free != 0; free &= free - 1 {
		queen := free & -free
		count += solutions(board, columns|queen, (left|queen)<<1, (right|queen)>>1)
	}
	return count
}

// The Go contender of benchmarks/c_hash.py. The work is Go's own, in assembly, and not in C.
func cHash(n int) float64 {
	data := make([]byte, block)
	var sums [sixteen]byte
	warmUp()
	start := time.Now()
	together(sixteen, func(i int) {
		for turn := 0; turn < n; turn++ {
			digest := sha256.Sum256(data)
			sums[i] ^= digest[0]
		}
	})
	took := since(start)
	for _, sum := range sums {
		sink += int(sum)
	}
	return took
}

// The Go contender of benchmarks/c_zlib.py. The work is Go's own, in Go, and not in C; the bytes are
// others, and as random.
func cZlib(n int) float64 {
	data := make([]byte, block)
	rand.New(rand.NewSource(1)).Read(data)
	var sizes [sixteen]int
	warmUp()
	start := time.Now()
	together(sixteen, func(i int) {
		for turn := 0; turn < n; turn++ {
			sizes[i] += compressed(data)
		}
	})
	took := since(start)
	for _, size := range sizes {
		sink += size
	}
	return took
}

// Compress the data at level 1, and return how many bytes are left.
func compressed(data []byte) int {
	var out bytes.Buffer
	writer, err := zlib.NewWriterLevel(&out, 1)
	if err == nil {
		_, err = writer.Write(data)
	}
	if err == nil {
		err = writer.Close()
	}
	if err != nil {
		panic(err)
	}
	return out.Len()
}
