// The locks and waits of sync, and what panic and defer cost.
package main

import (
	"runtime"
	"sync"
)

func syncCases() []benchCase {
	return []benchCase{
		{"mutex_uncontended", "ns/op", 20_000_000, 0, mutexAlone},
		{"mutex_contended_2", "ns/op", 3_000_000, 0, mutexCrowd(2)},
		{"mutex_contended_100", "ns/op", 3_000_000, 0, mutexCrowd(100)},
		{"rwmutex_rlock_uncontended", "ns/op", 10_000_000, 0, readAlone},
		{"rwmutex_rlock_4readers", "ns/op", 4_000_000, 0, readCrowd(4, 0)},
		{"rwmutex_mixed_10pct_write_8", "ns/op", 1_000_000, 0, readCrowd(8, 10)},
		{"cond_pingpong", "ns/roundtrip", 200_000, 0, condPingpong},
		{"sem_uncontended", "ns/op", 10_000_000, 0, semAlone},
		{"sem_workers_100_of_10", "ns/op", 1_000_000, 0, semCrowd(100, 10)},
		{"barrier_10", "ns/phase", 200_000, 0, barrierPhases(10)},
		{"waitgroup_add_done", "ns/op", 10_000_000, 0, addDone},
		{"once_do_hot", "ns/op", 50_000_000, 0, onceHot},
		{"panic_recover", "ns/op", 1_000_000, 0, panicRecover},
		{"panic_try", "ns/op", 1_000_000, 0, panicRecover}, // Go has one way
		{"defer_call", "ns/op", 20_000_000, 0, deferCall},
	}
}

func mutexAlone(n int) float64 {
	var mu sync.Mutex
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			mu.Lock()
			mu.Unlock()
		}
	})
}

func mutexCrowd(crowd int) func(int) float64 {
	return func(n int) float64 {
		var mu sync.Mutex
		var wg sync.WaitGroup
		shared, share := 0, n/crowd
		return nsPerOp(share*crowd, func() {
			for g := 0; g < crowd; g++ {
				wg.Add(1)
				go func() {
					for i := 0; i < share; i++ {
						mu.Lock()
						shared++
						mu.Unlock()
					}
					wg.Done()
				}()
			}
			wg.Wait()
			if shared != share*crowd {
				panic("mutex_contended: lost an increment")
			}
		})
	}
}

func readAlone(n int) float64 {
	var mu sync.RWMutex
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			mu.RLock()
			mu.RUnlock()
		}
	})
}

// every: one operation in so many writes; 0: none
func readCrowd(crowd, every int) func(int) float64 {
	return func(n int) float64 {
		var mu sync.RWMutex
		var wg sync.WaitGroup
		value, share := 0, n/crowd
		return nsPerOp(share*crowd, func() {
			for g := 0; g < crowd; g++ {
				wg.Add(1)
				go func() {
					seen := 0
					for i := 0; i < share; i++ {
						if every != 0 && i%every == 0 {
							mu.Lock()
							value++
							mu.Unlock()
						} else {
							mu.RLock()
							seen = value
							mu.RUnlock()
						}
					}
					sink.Add(int64(seen))
					wg.Done()
				}()
			}
			wg.Wait()
			if every != 0 && value != (share+every-1)/every*crowd {
				panic("rwmutex_mixed: lost an increment")
			}
		})
	}
}

func condPingpong(n int) float64 {
	var mu sync.Mutex
	var wg sync.WaitGroup
	c, turn := sync.NewCond(&mu), 0
	return nsPerOp(n, func() {
		for me := 0; me < 2; me++ {
			wg.Add(1)
			go func() {
				for i := 0; i < n; i++ {
					mu.Lock()
					for turn != me {
						c.Wait()
					}
					turn = 1 - me
					c.Signal()
					mu.Unlock()
				}
				wg.Done()
			}()
		}
		wg.Wait()
	})
}

// The standard library has no weighted semaphore; this one works as the usual one does: a mutex, a count,
// and a queue of channels.
type weighted struct {
	mu      sync.Mutex
	free    int64
	waiters []request
}
type request struct {
	n     int64
	ready chan struct{}
}

func (s *weighted) acquire(n int64) {
	s.mu.Lock()
	if len(s.waiters) == 0 && s.free >= n {
		s.free -= n
		s.mu.Unlock()
		return
	}
	r := request{n, make(chan struct{})}
	s.waiters = append(s.waiters, r)
	s.mu.Unlock()
	<-r.ready
}

func (s *weighted) release(n int64) {
	s.mu.Lock()
	s.free += n
	for len(s.waiters) > 0 && s.waiters[0].n <= s.free {
		s.free -= s.waiters[0].n
		close(s.waiters[0].ready)
		s.waiters = s.waiters[1:]
	}
	s.mu.Unlock()
}

func semAlone(n int) float64 {
	s := weighted{free: 10}
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			s.acquire(1)
			s.release(1)
		}
	})
}

func semCrowd(crowd int, units int64) func(int) float64 {
	return func(n int) float64 {
		s := weighted{free: units}
		var wg sync.WaitGroup
		share := n / crowd
		return nsPerOp(share*crowd, func() {
			for g := 0; g < crowd; g++ {
				wg.Add(1)
				go func() {
					for i := 0; i < share; i++ {
						s.acquire(1)
						runtime.Gosched()
						s.release(1)
					}
					wg.Done()
				}()
			}
			wg.Wait()
			if s.free != units {
				panic("sem_workers: units are missing")
			}
		})
	}
}

func barrierPhases(parties int) func(int) float64 {
	return func(n int) float64 {
		var mu sync.Mutex
		var wg sync.WaitGroup
		c, arrived, phase := sync.NewCond(&mu), 0, 0
		return nsPerOp(n, func() {
			for g := 0; g < parties; g++ {
				wg.Add(1)
				go func() {
					for i := 0; i < n; i++ {
						mu.Lock()
						mine := phase
						if arrived++; arrived == parties {
							arrived = 0
							phase++
							c.Broadcast()
						}
						for mine == phase {
							c.Wait()
						}
						mu.Unlock()
					}
					wg.Done()
				}()
			}
			wg.Wait()
		})
	}
}

func addDone(n int) float64 {
	var wg sync.WaitGroup
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			wg.Add(1)
			wg.Done()
		}
		wg.Wait()
	})
}

func onceHot(n int) float64 {
	var once sync.Once
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			once.Do(nothing)
		}
	})
}

func panicRecover(n int) float64 {
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			failOnce()
		}
	})
}

//go:noinline
func failOnce() {
	defer func() { recover() }()
	panic(1)
}

func deferCall(n int) float64 {
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			deferOnce()
		}
	})
}

//go:noinline
func deferOnce() { defer nothing() }

//go:noinline
func nothing() {}
