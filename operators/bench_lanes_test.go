package operators_test

import (
	"fmt"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// worked takes about 2 µs of CPU.
func worked(e event) (event, error) {
	x := uint64(e.Seq) | 1
	for range 2000 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	e.At = int64(x)
	return e, nil
}

// BenchmarkLanes is a chain that takes about 2 µs of CPU a row. On two cores that have nothing else
// to do, two lanes should be at least 1.8 times as fast as one. "no lanes" is the chain alone.
func BenchmarkLanes(b *testing.B) {
	chain := func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Map(in, worked) }
	b.Run("no lanes", func(b *testing.B) { measure(b, chain) })
	for _, n := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("%d lanes", n), func(b *testing.B) {
			measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] {
				return operators.Lanes(in, n, func(e event) int64 { return e.Seq }, chain)
			})
		})
	}
}

// BenchmarkLanesThatDoNothing is what it costs to deal rows out and to bring them together again.
func BenchmarkLanesThatDoNothing(b *testing.B) {
	for _, n := range []int{1, 2, 8} {
		b.Run(fmt.Sprintf("%d lanes", n), func(b *testing.B) {
			measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] {
				return operators.Lanes(in, n, func(e event) int64 { return e.Seq },
					func(in rxcql.Stream[event]) rxcql.Stream[event] { return in })
			})
		})
	}
}
