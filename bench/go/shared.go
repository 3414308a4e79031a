// sync.Pool and sync.Map; and single sends, which is what Go has in place of batches.
package main

import "sync"

func sharedCases() []benchCase {
	return []benchCase{
		{"pool_get_put", "ns/op", 20_000_000, 0, poolGetPut(1)},
		{"pool_get_put_2", "ns/op", 20_000_000, 0, poolGetPut(2)},
		{"syncmap_load_hit", "ns/op", 5_000_000, 0, mapUse(1, 0)},
		{"syncmap_load_hit_2", "ns/op", 5_000_000, 0, mapUse(2, 0)},
		{"syncmap_mixed_2", "ns/op", 5_000_000, 0, mapUse(2, 10)},
		{"syncmap_store_delete", "ns/op", 1_000_000, 0, mapChurn},
		{"batch_1_cap128", "ns/msg", 1_000_000, 0, crowd[int](1, 1, 128)},
		{"batch_8_cap128", "ns/msg", 1_000_000, 0, crowd[int](1, 1, 128)},
		{"batch_64_cap128", "ns/msg", 1_000_000, 0, crowd[int](1, 1, 128)},
	}
}

func poolGetPut(parties int) func(int) float64 {
	return func(n int) float64 {
		p := sync.Pool{New: func() any { return new([64]byte) }}
		var wg sync.WaitGroup
		share := n / parties
		getPut := func() {
			for i := 0; i < share; i++ {
				p.Put(p.Get())
			}
			wg.Done()
		}
		return nsPerOp(share*parties, func() {
			wg.Add(parties)
			for g := 1; g < parties; g++ {
				go getPut()
			}
			getPut()
			wg.Wait()
		})
	}
}

const mapKeys = 1024

// Every oneIn-th operation is a store; 0: none.
func mapUse(parties, oneIn int) func(int) float64 {
	return func(n int) float64 {
		var m sync.Map
		for i := 0; i < mapKeys; i++ {
			m.Store(i, i)
		}
		var wg sync.WaitGroup
		share := n / parties
		use := func() {
			until := oneIn
			for i := 0; i < share; i++ {
				if oneIn != 0 {
					until--
					if until == 0 {
						m.Store(i&(mapKeys-1), i&(mapKeys-1))
						until = oneIn
						continue
					}
				}
				m.Load(i & (mapKeys - 1))
			}
			wg.Done()
		}
		return nsPerOp(share*parties, func() {
			wg.Add(parties)
			for g := 1; g < parties; g++ {
				go use()
			}
			use()
			wg.Wait()
		})
	}
}

func mapChurn(n int) float64 {
	var m sync.Map
	for i := 0; i < mapKeys; i++ {
		m.Store(i, i)
	}
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			m.Store(mapKeys+i, nil)
			m.Delete(mapKeys + i)
		}
	})
}
