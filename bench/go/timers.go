// Timers: making and stopping, many of them outstanding, firing, time-outs in selects.
package main

import (
	"sync"
	"time"
)

func timeCases() []benchCase {
	return []benchCase{
		{"timer_after_stop_alone", "ns/op", 300_000, 0, afterStop},
		{"timer_after_abandoned", "ns/op", 300_000, 0, afterAbandoned},
		{"timer_create_1M", "ns/op", 1_000_000, 5, createMany},
		{"timer_reset_1M_outstanding", "ns/op", 1_000_000, 5, resetMany},
		{"timer_fire_100k", "ns/timer", 100_000, 5, fireMany},
		{"timer_select_after", "ns/msg", 300_000, 0, selectAfter},
		{"timer_select_reset", "ns/msg", 300_000, 0, selectReset},
	}
}

func afterStop(n int) float64 {
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			if !time.NewTimer(time.Hour).Stop() {
				panic("it has fired")
			}
		}
	})
}

var abandoned <-chan time.Time // keeps the compiler from leaving the channel out

func afterAbandoned(n int) float64 {
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			abandoned = time.After(time.Minute)
		}
		abandoned = nil
	})
}

// later is an hour and up to n microseconds, in no order.
func later(i, n int) time.Duration {
	return time.Hour + time.Duration(i*7919%n)*time.Microsecond
}

func makeMany(ts []*time.Timer) {
	for i := range ts {
		ts[i] = time.AfterFunc(later(i, len(ts)), func() {})
	}
}

func stopMany(ts []*time.Timer) {
	for _, t := range ts {
		if !t.Stop() {
			panic("a timer has fired an hour early")
		}
	}
}

func createMany(n int) float64 {
	ts := make([]*time.Timer, n)
	v := nsPerOp(n, func() { makeMany(ts) })
	stopMany(ts)
	return v
}

func resetMany(n int) float64 {
	ts := make([]*time.Timer, n)
	makeMany(ts)
	v := nsPerOp(n, func() {
		x := uint32(1)
		for i := 0; i < n; i++ {
			x = x*1664525 + 1013904223
			ts[int(x>>4)%n].Reset(time.Hour + time.Duration(x>>8)*time.Microsecond)
		}
	})
	stopMany(ts)
	return v
}

func fireMany(n int) float64 {
	var wg sync.WaitGroup
	wg.Add(n)
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			time.AfterFunc(time.Microsecond, wg.Done)
		}
		wg.Wait()
	})
}

func sendAll(c chan int, n int) {
	for i := 0; i < n; i++ {
		c <- i
	}
}

// selectAfter: a stream in which every receive has a time-out that does not come.
func selectAfter(n int) float64 {
	c := make(chan int)
	return nsPerOp(n, func() {
		go sendAll(c, n)
		for i := 0; i < n; i++ {
			select {
			case v := <-c:
				if v != i {
					panic("wrong value")
				}
			case <-time.After(time.Minute):
				panic("timed out")
			}
		}
	})
}

// selectReset: the same with one timer that is reset for each receive.
func selectReset(n int) float64 {
	c := make(chan int)
	t := time.NewTimer(time.Minute)
	v := nsPerOp(n, func() {
		go sendAll(c, n)
		for i := 0; i < n; i++ {
			t.Reset(time.Minute)
			select {
			case v := <-c:
				if v != i {
					panic("wrong value")
				}
			case <-t.C:
				panic("timed out")
			}
		}
	})
	t.Stop()
	return v
}
