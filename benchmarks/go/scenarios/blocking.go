package main

import (
	"syscall"
	"time"
	"unsafe"
)

const nap = 100 * time.Millisecond

// The Go contender of benchmarks/syscall_sleep.py: not time.Sleep, which blocks no thread, but the
// system call.
func syscallSleep(n int) float64 {
	warmUp()
	start := time.Now()
	together(n, func(int) { announced(nap) })
	return since(start)
}

// The Go contender of benchmarks/bare_sleep.py: the runtime is not told of a RawSyscall, and the P
// stays with the thread. So they sleep one after the other, as many at a time as there are Ps.
func bareSleep(n int) float64 {
	warmUp()
	start := time.Now()
	together(n, func(int) { unannounced(nap) })
	return since(start)
}

func announced(d time.Duration) {
	left := syscall.NsecToTimespec(int64(d))
	for syscall.Nanosleep(&left, &left) != nil { // a signal: sleep what is left
	}
}

func unannounced(d time.Duration) {
	left := syscall.NsecToTimespec(int64(d))
	for {
		_, _, errno := syscall.RawSyscall(
			syscall.SYS_NANOSLEEP,
			uintptr(unsafe.Pointer(&left)),
			uintptr(unsafe.Pointer(&left)),
			0,
		)
		if errno == 0 {
			return
		}
	}
}
