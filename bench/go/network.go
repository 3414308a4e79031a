// Sockets and pipes: echo over TCP and Unix sockets, one byte to and fro between two pipes.
package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
)

const echoBytes = 64

func ioCases() []benchCase {
	return []benchCase{
		{"tcp_echo_1conn", "ns/roundtrip", 20_000, 0, echo("tcp", 1)},
		{"tcp_echo_64conn", "ns/roundtrip", 64_000, 0, echo("tcp", 64)},
		{"tcp_echo_1000conn", "ns/roundtrip", 100_000, 0, echo("tcp", 1000)},
		{"unix_echo_1conn", "ns/roundtrip", 30_000, 0, echo("unix", 1)},
		{"unix_echo_64conn", "ns/roundtrip", 64_000, 0, echo("unix", 64)},
		{"pipe_pingpong", "ns/roundtrip", 30_000, 0, pipePingpong},
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func serveEcho(c net.Conn) {
	defer c.Close()
	buf := make([]byte, echoBytes)
	for {
		if _, err := io.ReadFull(c, buf); err != nil {
			return
		}
		if _, err := c.Write(buf); err != nil {
			return
		}
	}
}

func roundtrip(c net.Conn, buf []byte) {
	_, err := c.Write(buf)
	must(err)
	_, err = io.ReadFull(c, buf)
	must(err)
}

// echo has a server goroutine per connection; the connections are made, and used once, before the timed part.
func echo(network string, conns int) func(int) float64 {
	return func(n int) float64 {
		addr := "127.0.0.1:0"
		if network == "unix" {
			dir, err := os.MkdirTemp("", "runnel-bench")
			must(err)
			defer os.RemoveAll(dir)
			addr = filepath.Join(dir, "s")
		}
		l, err := net.Listen(network, addr)
		must(err)
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go serveEcho(c)
			}
		}()
		cs := make([]net.Conn, conns)
		for i := range cs {
			cs[i], err = net.Dial(network, l.Addr().String())
			must(err)
			defer cs[i].Close()
			roundtrip(cs[i], make([]byte, echoBytes))
		}
		per := max(1, n/conns)
		return nsPerOp(per*conns, func() {
			var wg sync.WaitGroup
			wg.Add(conns)
			for _, c := range cs {
				go func(c net.Conn) {
					buf := make([]byte, echoBytes)
					for i := 0; i < per; i++ {
						roundtrip(c, buf)
					}
					wg.Done()
				}(c)
			}
			wg.Wait()
		})
	}
}

func pipePingpong(n int) float64 {
	r1, w1, err := os.Pipe()
	must(err)
	r2, w2, err := os.Pipe()
	must(err)
	go func() {
		b := make([]byte, 1)
		for {
			if _, err := r1.Read(b); err != nil {
				w2.Close()
				return
			}
			_, err := w2.Write(b)
			must(err)
		}
	}()
	b := make([]byte, 1)
	figure := nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			_, err := w1.Write(b)
			must(err)
			_, err = r2.Read(b)
			must(err)
		}
	})
	w1.Close()
	r2.Read(b)
	r1.Close()
	r2.Close()
	return figure
}
