// The scheduler: starting goroutines, yielding, sleeping, and what waits behind a hog.
package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

var sink atomic.Int64 // takes results, so that the work is not optimised away

// letPark gives goroutines that are about to wait the time to do so.
func letPark() { time.Sleep(50 * time.Millisecond) }

func schedCases() []benchCase {
	return []benchCase{
		{"spawn_join", "ns/op", 300_000, 0, spawnJoin},
		{"spawn_join_chan", "ns/op", 300_000, 0, spawnJoinChan},
		{"spawn_1M_batch", "ns/goroutine", 1_000_000, 5, spawnBatch},
		{"spawn_1M_parked", "ns/goroutine", 1_000_000, 5, spawnParked},
		{"spawn_deep_stack_16KB", "ns/op", 30_000, 0, spawnDeep},
		{"yield_alone", "ns/op", 2_000_000, 0, yieldAlone},
		{"yield_x100", "ns/op", 2_000_000, 0, yieldCrowd},
		{"sleep_1ms_overshoot", "us", 200, 5, sleepOvershoot},
		{"sleep_100k_goroutines_10ms", "ms", 100_000, 5, sleepCrowd},
		{"hog_1000_behind_100ms", "ms", 1000, 5, behindHog},
	}
}

func spawnJoin(n int) float64 {
	var wg sync.WaitGroup
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			wg.Add(1)
			go wg.Done()
			wg.Wait()
		}
	})
}

func spawnJoinChan(n int) float64 {
	c := make(chan int)
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			go func() { c <- 1 }()
			<-c
		}
	})
}

func spawnBatch(n int) float64 {
	var wg sync.WaitGroup
	return nsPerOp(n, func() {
		wg.Add(n)
		for i := 0; i < n; i++ {
			go wg.Done()
		}
		wg.Wait()
	})
}

func spawnParked(n int) float64 {
	var wg sync.WaitGroup
	gate := make(chan struct{})
	return nsPerOp(n, func() {
		wg.Add(n)
		for i := 0; i < n; i++ {
			go func() {
				<-gate
				wg.Done()
			}()
		}
		close(gate)
		wg.Wait()
	})
}

func spawnDeep(n int) float64 {
	var wg sync.WaitGroup
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			wg.Add(1)
			go func() {
				sink.Add(int64(dig(32)))
				wg.Done()
			}()
			wg.Wait()
		}
	})
}

// dig uses 512 bytes of stack per level.
//
//go:noinline
func dig(levels int) int {
	var room [512]byte
	room[levels] = byte(levels)
	if levels == 0 {
		return int(room[0])
	}
	return dig(levels-1) + int(room[levels])
}

func yieldAlone(n int) float64 {
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			runtime.Gosched()
		}
	})
}

func yieldCrowd(n int) float64 {
	const crowd = 100
	var wg sync.WaitGroup
	return nsPerOp(n, func() {
		for g := 0; g < crowd; g++ {
			wg.Add(1)
			go func() {
				for i := 0; i < n/crowd; i++ {
					runtime.Gosched()
				}
				wg.Done()
			}()
		}
		wg.Wait()
	})
}

// sleepOvershoot: by how much a sleep of a millisecond lasts longer, in microseconds.
func sleepOvershoot(n int) float64 {
	ns := nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			time.Sleep(time.Millisecond)
		}
	})
	return (ns - 1e6) / 1e3
}

func sleepCrowd(n int) float64 {
	var wg sync.WaitGroup
	wg.Add(n)
	return millis(func() {
		for i := 0; i < n; i++ {
			go func() {
				time.Sleep(10 * time.Millisecond)
				wg.Done()
			}()
		}
		wg.Wait()
	})
}

// behindHog: one goroutine starts n others and then computes for 100 ms without a pause; the figure
// is how long it takes until the last of the others has run.
func behindHog(n int) float64 {
	const busy = 100 * time.Millisecond
	var left atomic.Int64
	var begin, last time.Time
	var wg sync.WaitGroup
	left.Store(int64(n))
	wg.Add(n + 1)
	go func() {
		begin = time.Now()
		for i := 0; i < n; i++ {
			go func() {
				if left.Add(-1) == 0 {
					last = time.Now()
				}
				wg.Done()
			}()
		}
		x := uint64(0)
		for time.Since(begin) < busy {
			x = work(x, 1000)
		}
		sink.Add(int64(x))
		wg.Done()
	}()
	wg.Wait()
	return float64(last.Sub(begin).Nanoseconds()) / 1e6
}
