// The Go contender of benchmarks/latency.py: `latency CASE SECONDS` prints {"late": [...]} in seconds.
//
// What a case is, and what counts, is written there and in benchmarks/_latency.py, which this must
// agree with.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const (
	period = 10 * time.Millisecond
	settle = 20 // ticks that do not count
	call   = 50 * time.Millisecond
)

var sink uint64

func spin() {
	for n := uint64(0); ; n++ {
		sink = n
	}
}

func yields() {
	for {
		runtime.Gosched()
	}
}

func announced() {
	for {
		left := syscall.NsecToTimespec(int64(call))
		for syscall.Nanosleep(&left, &left) != nil { // a signal: sleep what is left
		}
	}
}

// The runtime is not told of a RawSyscall: the P stays with the thread.
func unannounced() {
	for {
		rawNap()
	}
}

// A call of its own for each: where a function begins, a goroutine can be preempted, unlike in RawSyscall.
//
//go:noinline
func rawNap() {
	left := syscall.NsecToTimespec(int64(call))
	at := uintptr(unsafe.Pointer(&left))
	for {
		if _, _, errno := syscall.RawSyscall(syscall.SYS_NANOSLEEP, at, at, 0); errno == 0 {
			return
		}
	}
}

// Sum256 does the whole block in one assembly function, which cannot be preempted.
func digests() func() {
	block := make([]byte, 256<<20)
	size := 8 << 20
	best := time.Hour
	for i := 0; i < 3; i++ {
		start := time.Now()
		sha256.Sum256(block[:size])
		if took := time.Since(start); took < best {
			best = took
		}
	}
	whole := int(float64(size) * float64(call) / float64(best))
	return func() {
		for {
			sha256.Sum256(block[:whole])
		}
	}
}

func main() {
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		panic(err)
	}
	measured := int(seconds/period.Seconds() + 0.5)
	if measured < 1 {
		measured = 1
	}
	var load func()
	n := 0
	switch os.Args[1] {
	case "nothing":
	case "loops1":
		load, n = spin, 1
	case "loops2":
		load, n = spin, 2
	case "loops8":
		load, n = spin, 8
	case "yields":
		load, n = yields, 1000
	case "announced":
		load, n = announced, 4
	case "unannounced":
		load, n = unannounced, 4
	case "c_free":
		load, n = digests(), 2
	default:
		panic("no such case: " + os.Args[1])
	}
	for i := 0; i < n; i++ {
		go load()
	}
	late := make([]float64, 0, settle+measured)
	start := time.Now()
	for len(late) < settle+measured {
		due := start.Add(period * time.Duration(len(late)+1))
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		}
		late = append(late, time.Since(due).Seconds())
	}
	answer := map[string][]float64{"late": late[settle:]}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		panic(err)
	}
}
