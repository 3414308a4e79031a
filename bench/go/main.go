// The Go half of runnel's benchmarks: the same cases as bench/*.c, with the same names, so that the
// two programs can be run against each other (see ../compare).
//
// Invariants
//   - A case's name, unit, operation count and shape are those of its C twin.
//   - Output is one line per case, "name value unit"; the value is the median of the repetitions.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"time"
)

// A benchCase runs n operations and returns its figure in unit.
type benchCase struct {
	name  string
	unit  string
	n     int
	reps  int // 0: warm up, then as many repetitions as asked; else at most so many, no warm-up
	shape func(n int) float64
}

// suite lists all cases in the order in which they run.
func suite() []benchCase {
	var all []benchCase
	for _, part := range [][]benchCase{
		channelCases(), flowCases(), schedCases(), memoryCases(), syncCases(), selectCases(),
		timeCases(),
		contextCases(),
		sharedCases(),
		ioCases(),
	} {
		all = append(all, part...)
	}
	return all
}

// nsPerOp times body, which does n operations.
func nsPerOp(n int, body func()) float64 {
	begin := time.Now()
	body()
	return float64(time.Since(begin).Nanoseconds()) / float64(n)
}

// millis times body as a whole.
func millis(body func()) float64 {
	return nsPerOp(1, body) / 1e6
}

// selected says whether -only lets a case run: a list of prefixes, or of =exact names.
func selected(name, only string) bool {
	if only == "" {
		return true
	}
	for _, want := range strings.Split(only, ",") {
		if exact, ok := strings.CutPrefix(want, "="); ok {
			if exact == name {
				return true
			}
		} else if strings.HasPrefix(name, want) {
			return true
		}
	}
	return false
}

func measure(c benchCase, reps int, scale float64) []float64 {
	n := max(1, int(float64(c.n)*scale))
	runtime.GC()
	if c.reps == 0 {
		c.shape(max(1, n/10))
	} else {
		reps = min(reps, c.reps)
	}
	figures := make([]float64, max(1, reps))
	for i := range figures {
		figures[i] = c.shape(n)
	}
	sort.Float64s(figures)
	return figures
}

func main() {
	procs := flag.Int("procs", 2, "processors to use")
	reps := flag.Int("reps", 7, "repetitions per case")
	only := flag.String("only", "", "comma-separated prefixes of case names, or =name")
	list := flag.Bool("list", false, "print the case names and stop")
	minmax := flag.Bool("minmax", false, "also print the smallest and the largest figure")
	scale := flag.Float64("scale", 1, "factor on the operation counts")
	child := flag.String("child", "", "internal: the memory cases' fresh process")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	if *child != "" {
		memoryChild(*child)
		return
	}
	for _, c := range suite() {
		switch {
		case !selected(c.name, *only):
		case *list:
			fmt.Println(c.name)
		default:
			f := measure(c, *reps, *scale)
			fmt.Printf("%s %.4g %s", c.name, f[len(f)/2], c.unit)
			if *minmax {
				fmt.Printf(" %.4g %.4g", f[0], f[len(f)-1])
			}
			fmt.Fprintln(os.Stdout)
		}
	}
}
