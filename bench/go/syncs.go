// Mutex, wait group, once, and what panic and defer cost.
package main

import "sync"

func syncCases() []benchCase {
	return []benchCase{
		{"mutex_uncontended", "ns/op", 20_000_000, 0, mutexAlone},
		{"mutex_contended_2", "ns/op", 3_000_000, 0, mutexCrowd(2)},
		{"mutex_contended_100", "ns/op", 3_000_000, 0, mutexCrowd(100)},
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
