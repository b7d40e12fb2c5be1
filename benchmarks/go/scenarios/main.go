// The Go contenders of the scenarios in benchmarks/: `scenarios NAME N` prints {"value": seconds}.
//
// What a scenario is, and what its n counts, is written in benchmarks/NAME.py, which this must agree
// with: the same work, the same warm-up, the same part measured.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

var scenarios = map[string]func(n int) float64{
	"bare_sleep":    bareSleep,
	"buffered":      buffered,
	"c_hash":        cHash,
	"c_zlib":        cZlib,
	"cancel":        cancel,
	"cancel_tree":   cancelTree,
	"collect":       collect,
	"deep_0":        func(n int) float64 { return deep(n, 0) },
	"deep_50":       func(n int) float64 { return deep(n, 50) },
	"deep_200":      func(n int) float64 { return deep(n, 200) },
	"fan_in":        fanIn,
	"fanout":        fanout,
	"idle":          idle,
	"million":       million,
	"mutex":         mutex,
	"mutex_fight":   mutexFight,
	"n_queens":      nQueens,
	"parked":        parked,
	"parked_time":   parkedTime,
	"pingpong":      pingpong,
	"pipeline":      pipeline,
	"select_two":    selectTwo,
	"select_eight":  selectEight,
	"select_64":     select64,
	"sieve":         sieve,
	"sleepers":      sleepers,
	"spawn_join":    spawnJoin,
	"spawn_many":    spawnMany,
	"syscall_sleep": syscallSleep,
	"timer_idle":    timerIdle,
	"timer_loaded":  timerLoaded,
	"timers":        timers,
	"workers":       workers,
	"yield_ten":     yieldTen,
}

// Results go here, so that the compiler cannot drop what made them.
var sink int

// Run a goroutine to its end, so that the runtime is up before anything is measured.
func warmUp() {
	done := make(chan struct{})
	go func() {
		runtime.Gosched()
		close(done)
	}()
	<-done
}

// Run f(0) to f(n-1), a goroutine each, to their end.
func together(n int, f func(i int)) {
	var group sync.WaitGroup
	group.Add(n)
	for i := 0; i < n; i++ {
		i := i
		go func() {
			f(i)
			group.Done()
		}()
	}
	group.Wait()
}

// Each one's part of n turns shared by so many, at least one.
func part(n, among int) int {
	if n < among {
		return 1
	}
	return n / among
}

func since(start time.Time) float64 {
	return time.Since(start).Seconds()
}

func each(start time.Time, n int) float64 {
	return since(start) / float64(n)
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(2)
}

func main() {
	if len(os.Args) != 3 {
		fail("usage: scenarios NAME N")
	}
	scenario, ok := scenarios[os.Args[1]]
	if !ok {
		names := make([]string, 0, len(scenarios))
		for name := range scenarios {
			names = append(names, name)
		}
		sort.Strings(names)
		fail(fmt.Sprintf("no scenario %q; there are %s", os.Args[1], strings.Join(names, ", ")))
	}
	n, err := strconv.Atoi(os.Args[2])
	if err != nil || n < 1 {
		fail(fmt.Sprintf("N is a number from 1 on, not %q", os.Args[2]))
	}
	answer := map[string]float64{"value": scenario(n)}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		panic(err)
	}
}
