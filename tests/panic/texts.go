// texts.go - the cases of texts.c as Go programs; texts_go.sh compares what both print.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
)

func raise(s string) { panic(s) }

func threeLevel() {
	defer raise("three")
	panic("two")
}

func recoverThenNew() {
	r := recover()
	panic(fmt.Sprint("again ", r))
}

func recoverThenSame() { panic(recover()) }

func recoverInside() {
	defer recoverThenNew()
	panic("two")
}

func recoverTwo() {
	defer func() { recover() }()
	panic("two")
}

func main() {
	switch os.Args[1] {
	case "plain":
		defer fmt.Println("outer")
		defer fmt.Println("inner")
		panic("boom")
	case "lines":
		panic("one\ntwo\n\nfour")
	case "value_text":
		panic(errors.New("a text"))
	case "nil":
		panic(nil)
	case "two":
		defer raise("two")
		panic("one")
	case "three":
		defer threeLevel()
		panic("one")
	case "recovered":
		defer recoverThenNew()
		panic("first")
	case "repanicked":
		defer recoverThenSame()
		panic("first\nline")
	case "repanicked_then_new":
		defer raise("last")
		defer recoverThenSame()
		panic("first")
	case "repanicked_twice":
		defer recoverThenSame()
		defer recoverThenSame()
		panic("first")
	case "recovered_in_the_middle":
		defer raise("four")
		defer recoverInside()
		panic("one")
	case "recovered_inside":
		defer recoverTwo()
		panic("one")
	case "new_after_recovery":
		defer raise("two")
		defer func() { recover() }()
		panic("one")
	case "goexit":
		defer fmt.Println("deferred")
		runtime.Goexit()
	case "goexit_others":
		go func() { select {} }()
		runtime.Goexit()
	case "panic_in_goexit":
		defer raise("after goexit")
		runtime.Goexit()
	case "chain_over_goexit":
		defer raise("three")
		defer raise("two")
		runtime.Goexit()
	case "close_nil":
		var c chan int
		close(c)
	case "close_twice":
		c := make(chan int)
		close(c)
		close(c)
	case "send_closed":
		c := make(chan int)
		close(c)
		c <- 1
	case "child_goroutine":
		defer fmt.Println("never said")
		defer func() { recover() }()
		go raise("mine")
		select {}
	case "unlock":
		defer fmt.Println("never said")
		defer func() { recover() }()
		var m sync.Mutex
		m.Unlock()
	case "unlock_in_panic":
		var m sync.Mutex
		defer m.Unlock()
		panic("x")
	case "asleep":
		defer fmt.Println("never said")
		defer func() { recover() }()
		c := make(chan int)
		<-c
	}
}
