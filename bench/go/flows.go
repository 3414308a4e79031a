// Programs made of channels: ring, sieves, daisy chain, skynet, pipelines with real work.
package main

import (
	"runtime"
	"time"
)

func flowCases() []benchCase {
	return []benchCase{
		{"thread_ring_503", "ns/hop", 1_000_000, 5, threadRing},
		{"prime_sieve_2000", "ms", 2000, 3, primeSieve},
		{"prime_sieve_plain_500", "ms", 500, 5, plainSieve},
		{"daisy_chain_100k", "ms", 100_000, 5, daisyChain},
		{"skynet_1M", "ms", 1_000_000, 5, skynet},
		{"work_220ns", "ns/op", 500_000, 0, workAlone(rounds220)},
		{"work_1100ns", "ns/op", 100_000, 0, workAlone(rounds1100)},
		{"pipeline_220ns_cap128", "ns/msg", 200_000, 0, pipeline(rounds220)},
		{"pipeline_1100ns_cap128", "ns/msg", 50_000, 0, pipeline(rounds1100)},
	}
}

func threadRing(n int) float64 {
	const size = 503
	done := make(chan int)
	var link [size]chan int
	for i := range link {
		link[i] = make(chan int)
	}
	for i := range link {
		go func(id int, in, out chan int) {
			for token := range in {
				switch {
				case token > 0:
					out <- token - 1
				case token == 0:
					done <- id
				default:
					return
				}
			}
		}(i, link[i], link[(i+1)%size])
	}
	ns := nsPerOp(n, func() {
		link[0] <- n
		if <-done != n%size {
			panic("thread_ring: the token ended at the wrong place")
		}
	})
	for _, c := range link {
		c <- -1
	}
	return ns
}

// primeSieve: a chain of filters, every operation a select that can be told to quit.
func primeSieve(n int) float64 {
	before := runtime.NumGoroutine()
	ms := millis(func() {
		prime := sieveUntil(n)
		if n == 2000 && prime != 17389 {
			panic("prime_sieve: wrong prime")
		}
	})
	for runtime.NumGoroutine() > before { // not timed: the next repetition starts alone
		time.Sleep(time.Millisecond)
	}
	return ms
}

func sieveUntil(n int) int {
	quit := make(chan struct{})
	defer close(quit)
	head := make(chan int)
	go func(out chan int) {
		for i := 2; ; i++ {
			select {
			case out <- i:
			case <-quit:
				return
			}
		}
	}(head)
	prime := 0
	for i := 0; i < n; i++ {
		prime = <-head
		next := make(chan int)
		go func(in, out chan int, prime int) {
			for {
				v := 0
				select {
				case v = <-in:
				case <-quit:
					return
				}
				if v%prime == 0 {
					continue
				}
				select {
				case out <- v:
				case <-quit:
					return
				}
			}
		}(head, next, prime)
		head = next
	}
	return prime
}

// plainSieve has neither quit nor select; its filters stay parked until the program ends.
func plainSieve(n int) float64 {
	return millis(func() {
		head := make(chan int)
		go func(out chan int) {
			for i := 2; i < 10*n; i++ {
				out <- i
			}
		}(head)
		for i := 0; i < n; i++ {
			prime := <-head
			next := make(chan int)
			go func(in, out chan int) {
				for {
					if v := <-in; v%prime != 0 {
						out <- v
					}
				}
			}(head, next)
			head = next
		}
	})
}

func daisyChain(n int) float64 {
	return millis(func() {
		first := make(chan int)
		left := first
		for i := 0; i < n; i++ {
			right := make(chan int)
			go func(l, r chan int) { l <- 1 + <-r }(left, right)
			left = right
		}
		go func(c chan int) { c <- 1 }(left)
		if <-first != n+1 {
			panic("daisy_chain: wrong sum")
		}
	})
}

func skynet(n int) float64 {
	leaves := 1
	for leaves*10 <= n { // the tree is complete only for a power of ten
		leaves *= 10
	}
	return millis(func() {
		c := make(chan int)
		go skynetNode(c, 0, leaves)
		if <-c != leaves*(leaves-1)/2 {
			panic("skynet: wrong sum")
		}
	})
}

func skynetNode(up chan int, number, leaves int) {
	if leaves == 1 {
		up <- number
		return
	}
	down := make(chan int)
	for i := 0; i < 10; i++ {
		go skynetNode(down, number+i*(leaves/10), leaves/10)
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-down
	}
	up <- sum
}

// Rounds of work() that last about 220 ns and 1.1 us at 3 GHz. The count is fixed, so that both
// programs do the same work; the work_ cases show how long it takes on the machine at hand.
const (
	rounds220  = 165
	rounds1100 = 825
)

// work is a chain of dependent multiplications: nothing in it can be done in parallel or left out.
//
//go:noinline
func work(x uint64, rounds int) uint64 {
	for i := 0; i < rounds; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

func workAlone(rounds int) func(int) float64 {
	return func(n int) float64 {
		x := uint64(0)
		ns := nsPerOp(n, func() {
			for i := 0; i < n; i++ {
				x = work(x, rounds)
			}
		})
		sink.Add(int64(x))
		return ns
	}
}

// pipeline: the same work before sending and after receiving, each depending on the one before it:
// else the processor would do two at a time.
func pipeline(rounds int) func(int) float64 {
	return func(n int) float64 {
		c := make(chan uint64, 128)
		return nsPerOp(n, func() {
			go func() {
				x := uint64(0)
				for i := 0; i < n; i++ {
					x = work(x, rounds)
					c <- x
				}
				close(c)
			}()
			x := uint64(0)
			for v := range c {
				x = work(x+v, rounds)
			}
			sink.Add(int64(x))
		})
	}
}
