package main

import (
	"context"
	"time"
)

func contextCases() []benchCase {
	return []benchCase{
		{"ctx_cancel_tree_100k", "ns/node", 100_000, 5, cancelTree},
		{"ctx_cancel_only_100k", "ns/node", 100_000, 5, cancelOnly},
		{"ctx_withcancel_cancel", "ns/op", 1_000_000, 0, createCancel},
		{"ctx_withtimeout_cancel", "ns/op", 200_000, 0, timeoutCancel},
	}
}

// buildContexts makes n contexts that can be cancelled, every one with ten children.
func buildContexts(root context.Context, n int) context.Context {
	all := make([]context.Context, 1, n+1)
	all[0] = root
	for i := 0; i < n; i++ {
		ctx, stop := context.WithCancel(all[i/10])
		_ = stop // the root's cancel reaches every node
		all = append(all, ctx)
	}
	return all[n]
}

func cancelTree(n int) float64 {
	return nsPerOp(n, func() {
		root, cancel := context.WithCancel(context.Background())
		last := buildContexts(root, n)
		cancel()
		if last.Err() == nil {
			panic("ctx_cancel_tree: a node was missed")
		}
	})
}

func cancelOnly(n int) float64 {
	root, cancel := context.WithCancel(context.Background())
	last := buildContexts(root, n)
	result := nsPerOp(n, func() { cancel() })
	if last.Err() == nil {
		panic("ctx_cancel_only: a node was missed")
	}
	return result
}

func createCancel(n int) float64 {
	root, stop := context.WithCancel(context.Background())
	defer stop()
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			_, cancel := context.WithCancel(root)
			cancel()
		}
	})
}

func timeoutCancel(n int) float64 {
	background := context.Background()
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			_, cancel := context.WithTimeout(background, time.Hour)
			cancel()
		}
	})
}
