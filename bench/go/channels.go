// Channels on their own: ping-pong, streams, many to many, and the operations that never wait.
package main

import (
	"fmt"
	"sync"
)

var keepChan chan int // keeps a made channel from being optimised away

func channelCases() []benchCase {
	cases := []benchCase{
		{"pingpong_unbuf", "ns/roundtrip", 300_000, 0, pingPong(0)},
		{"pingpong_cap1", "ns/roundtrip", 300_000, 0, pingPong(1)},
	}
	for _, size := range []int{0, 1, 16, 128, 1024} {
		cases = append(cases, benchCase{
			fmt.Sprintf("spsc_cap%d", size), "ns/msg", 1_000_000, 0, crowd[int](1, 1, size)})
	}
	cases = append(cases,
		benchCase{"spsc_cap16_zero", "ns/msg", 1_000_000, 0, crowd[struct{}](1, 1, 16)},
		benchCase{"spsc_cap16_256B", "ns/msg", 500_000, 0, crowd[[256]byte](1, 1, 16)},
		benchCase{"spsc_cap16_4KB", "ns/msg", 200_000, 0, crowd[[4096]byte](1, 1, 16)})
	for _, w := range []int{4, 100} {
		for _, size := range []int{0, 128} {
			cases = append(cases, benchCase{
				fmt.Sprintf("mpmc_%dx%d_cap%d", w, w, size), "ns/msg", 600_000, 0, crowd[int](w, w, size)})
		}
	}
	return append(cases,
		benchCase{"fanin_1000x1_cap0", "ns/msg", 500_000, 0, crowd[int](1000, 1, 0)},
		benchCase{"chan_uncontended_sendrecv_cap1", "ns/pair", 3_000_000, 0, sendRecvAlone},
		benchCase{"chan_make_cap0", "ns/op", 2_000_000, 0, makeUnbuffered},
		benchCase{"chan_make_cap16", "ns/op", 1_000_000, 0, makeBuffered},
		benchCase{"recv_closed", "ns/op", 3_000_000, 0, recvClosed},
		benchCase{"try_recv_empty_unbuf", "ns/op", 20_000_000, 0, tryRecvMiss(0)},
		benchCase{"try_recv_empty_cap8", "ns/op", 20_000_000, 0, tryRecvMiss(8)},
		benchCase{"try_send_full", "ns/op", 20_000_000, 0, trySendMiss},
		benchCase{"close_broadcast_100k", "ns/waiter", 100_000, 0, closeBroadcast})
}

func pingPong(size int) func(int) float64 {
	return func(n int) float64 {
		there, back := make(chan int, size), make(chan int, size)
		go func() {
			for v := range there {
				back <- v
			}
			close(back)
		}()
		ns := nsPerOp(n, func() {
			for i := 0; i < n; i++ {
				there <- i
				<-back
			}
		})
		close(there)
		<-back
		return ns
	}
}

// crowd: producers share n messages evenly, consumers take until the channel is closed.
func crowd[T any](producers, consumers, size int) func(int) float64 {
	return func(n int) float64 {
		share := max(1, n/producers)
		c := make(chan T, size)
		var sent, taken sync.WaitGroup
		return nsPerOp(share*producers, func() {
			for i := 0; i < consumers; i++ {
				taken.Add(1)
				go func() {
					for range c {
					}
					taken.Done()
				}()
			}
			for i := 0; i < producers; i++ {
				sent.Add(1)
				go func() {
					var v T
					for k := 0; k < share; k++ {
						c <- v
					}
					sent.Done()
				}()
			}
			sent.Wait()
			close(c)
			taken.Wait()
		})
	}
}

func sendRecvAlone(n int) float64 {
	c := make(chan int, 1)
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			c <- i
			<-c
		}
	})
}

func makeUnbuffered(n int) float64 {
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			keepChan = make(chan int)
		}
	})
}

func makeBuffered(n int) float64 {
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			keepChan = make(chan int, 16)
		}
	})
}

func recvClosed(n int) float64 {
	c := make(chan int)
	close(c)
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			<-c
		}
	})
}

func tryRecvMiss(size int) func(int) float64 {
	return func(n int) float64 {
		c := make(chan int, size)
		return nsPerOp(n, func() {
			for i := 0; i < n; i++ {
				select {
				case <-c:
				default:
				}
			}
		})
	}
}

func trySendMiss(n int) float64 {
	c := make(chan int, 1)
	c <- 1
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			select {
			case c <- i:
			default:
			}
		}
	})
}

// closeBroadcast times one close together with the run of everybody it wakes.
func closeBroadcast(n int) float64 {
	gate := make(chan struct{})
	var ready, woken sync.WaitGroup
	ready.Add(n)
	woken.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			ready.Done()
			<-gate
			woken.Done()
		}()
	}
	ready.Wait()
	letPark()
	return nsPerOp(n, func() {
		close(gate)
		woken.Wait()
	})
}
