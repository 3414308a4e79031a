// Resident memory of a parked goroutine, measured in a fresh process.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// Go has one kind of stack: the small case is the default one under a second name.
func memoryCases() []benchCase {
	return []benchCase{
		{"parked_rss_1M", "bytes/goroutine", 1_000_000, 3, inChild("recv")},
		{"parked_rss_small_1M", "bytes/goroutine", 1_000_000, 3, inChild("small")},
		{"parked_select_rss_1M", "bytes/goroutine", 1_000_000, 3, inChild("select")},
	}
}

// inChild runs this program again, so that no earlier case has left memory behind.
func inChild(what string) func(int) float64 {
	return func(n int) float64 {
		out, err := exec.Command(os.Args[0], "-procs", strconv.Itoa(runtime.GOMAXPROCS(0)),
			"-child", fmt.Sprintf("%s:%d", what, n)).Output()
		if err != nil {
			panic(err)
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			panic(err)
		}
		return v
	}
}

func memoryChild(spec string) {
	what, count, _ := strings.Cut(spec, ":")
	n, err := strconv.Atoi(count)
	if err != nil {
		panic(err)
	}
	gate, other := make(chan struct{}), make(chan struct{})
	var parked sync.WaitGroup
	parked.Add(n)
	runtime.GC()
	before := resident()
	for i := 0; i < n; i++ {
		if what == "select" {
			go func() {
				parked.Done()
				select {
				case <-gate:
				case <-other:
				}
			}()
		} else {
			go func() {
				parked.Done()
				<-gate
			}()
		}
	}
	parked.Wait()
	letPark()
	fmt.Println(float64(resident()-before) / float64(n))
}

// resident is the second field of statm, in pages.
func resident() int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		panic(err)
	}
	return pages * os.Getpagesize()
}
