// Select: everything ready, nothing ready, default, closed channels. The case list of a select is fixed
// when it is compiled, hence one function per length.
package main

func selectCases() []benchCase {
	return []benchCase{
		{"select_ready_2", "ns/op", 1_500_000, 0, selectReady(2, pick2)},
		{"select_block_2", "ns/msg", 500_000, 0, selectBlock(2, pick2)},
		{"select_ready_4", "ns/op", 750_000, 0, selectReady(4, pick4)},
		{"select_block_4", "ns/msg", 250_000, 0, selectBlock(4, pick4)},
		{"select_ready_8", "ns/op", 375_000, 0, selectReady(8, pick8)},
		{"select_block_8", "ns/msg", 125_000, 0, selectBlock(8, pick8)},
		{"select_ready_64", "ns/op", 46_875, 0, selectReady(64, pick64)},
		{"select_block_64", "ns/msg", 15_625, 0, selectBlock(64, pick64)},
		{"select_nb_miss_1", "ns/op", 20_000_000, 0, tryRecvMiss(0)},
		{"select_nb_miss_2", "ns/op", 5_000_000, 0, selectMiss},
		{"select_closed_ready_2", "ns/op", 5_000_000, 0, selectClosed},
	}
}

// selectReady: every channel holds a value; one operation is a select and the send that refills.
func selectReady(k int, pick func([]chan int) int) func(int) float64 {
	return func(n int) float64 {
		c := make([]chan int, k)
		for i := range c {
			c[i] = make(chan int, 1)
			c[i] <- i
		}
		return nsPerOp(n, func() {
			for i := 0; i < n; i++ {
				from := pick(c)
				c[from] <- from
			}
		})
	}
}

// selectBlock: one goroutine sends on the k unbuffered channels in turn, the select takes.
func selectBlock(k int, pick func([]chan int) int) func(int) float64 {
	return func(n int) float64 {
		c := make([]chan int, k)
		for i := range c {
			c[i] = make(chan int)
		}
		go func() {
			for i := 0; i < n; i++ {
				c[i%k] <- i % k
			}
		}()
		return nsPerOp(n, func() {
			for i := 0; i < n; i++ {
				pick(c)
			}
		})
	}
}

func selectMiss(n int) float64 {
	a, b := make(chan int), make(chan int)
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			select {
			case <-a:
			case <-b:
			default:
			}
		}
	})
}

func selectClosed(n int) float64 {
	a, b := make(chan int), make(chan int)
	close(a)
	close(b)
	return nsPerOp(n, func() {
		for i := 0; i < n; i++ {
			select {
			case <-a:
			case <-b:
			}
		}
	})
}

func pick2(c []chan int) (v int) {
	_ = c[1]
	select {
	case v = <-c[0]:
	case v = <-c[1]:
	}
	return
}

func pick4(c []chan int) (v int) {
	_ = c[3]
	select {
	case v = <-c[0]:
	case v = <-c[1]:
	case v = <-c[2]:
	case v = <-c[3]:
	}
	return
}

func pick8(c []chan int) (v int) {
	_ = c[7]
	select {
	case v = <-c[0]:
	case v = <-c[1]:
	case v = <-c[2]:
	case v = <-c[3]:
	case v = <-c[4]:
	case v = <-c[5]:
	case v = <-c[6]:
	case v = <-c[7]:
	}
	return
}

func pick64(c []chan int) (v int) {
	_ = c[63]
	select {
	case v = <-c[0]:
	case v = <-c[1]:
	case v = <-c[2]:
	case v = <-c[3]:
	case v = <-c[4]:
	case v = <-c[5]:
	case v = <-c[6]:
	case v = <-c[7]:
	case v = <-c[8]:
	case v = <-c[9]:
	case v = <-c[10]:
	case v = <-c[11]:
	case v = <-c[12]:
	case v = <-c[13]:
	case v = <-c[14]:
	case v = <-c[15]:
	case v = <-c[16]:
	case v = <-c[17]:
	case v = <-c[18]:
	case v = <-c[19]:
	case v = <-c[20]:
	case v = <-c[21]:
	case v = <-c[22]:
	case v = <-c[23]:
	case v = <-c[24]:
	case v = <-c[25]:
	case v = <-c[26]:
	case v = <-c[27]:
	case v = <-c[28]:
	case v = <-c[29]:
	case v = <-c[30]:
	case v = <-c[31]:
	case v = <-c[32]:
	case v = <-c[33]:
	case v = <-c[34]:
	case v = <-c[35]:
	case v = <-c[36]:
	case v = <-c[37]:
	case v = <-c[38]:
	case v = <-c[39]:
	case v = <-c[40]:
	case v = <-c[41]:
	case v = <-c[42]:
	case v = <-c[43]:
	case v = <-c[44]:
	case v = <-c[45]:
	case v = <-c[46]:
	case v = <-c[47]:
	case v = <-c[48]:
	case v = <-c[49]:
	case v = <-c[50]:
	case v = <-c[51]:
	case v = <-c[52]:
	case v = <-c[53]:
	case v = <-c[54]:
	case v = <-c[55]:
	case v = <-c[56]:
	case v = <-c[57]:
	case v = <-c[58]:
	case v = <-c[59]:
	case v = <-c[60]:
	case v = <-c[61]:
	case v = <-c[62]:
	case v = <-c[63]:
	}
	return
}
