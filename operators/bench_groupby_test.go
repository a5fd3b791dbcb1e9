package operators_test

import (
	"fmt"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// BenchmarkGroupBy is a fold of a number, and one of a map, which is measured again as it grows.
func BenchmarkGroupBy(b *testing.B) {
	for _, groups := range []int64{8, 512} {
		key := func(e event) int64 { return e.Seq % groups }
		b.Run(fmt.Sprintf("a number, %d groups", groups), func(b *testing.B) {
			measure(b, func(in rxcql.Stream[event]) rxcql.Stream[operators.Group[int64, float64]] {
				return operators.GroupBy(in, key, func() float64 { return 0 },
					func(sum float64, e event) (float64, error) { return sum + e.Value, nil }, operators.GroupByGroups(groups))
			})
		})
		b.Run(fmt.Sprintf("a map, %d groups", groups), func(b *testing.B) {
			measure(b, func(in rxcql.Stream[event]) rxcql.Stream[operators.Group[int64, map[int32]int]] {
				return operators.GroupBy(in, key, func() map[int32]int { return map[int32]int{} },
					func(n map[int32]int, e event) (map[int32]int, error) { n[e.Kind]++; return n, nil }, operators.GroupByGroups(groups))
			})
		})
		b.Run(fmt.Sprintf("a slice, %d groups", groups), func(b *testing.B) {
			measure(b, func(in rxcql.Stream[event]) rxcql.Stream[operators.Group[int64, []float64]] {
				return operators.GroupBy(in, key, func() []float64 { return nil },
					func(all []float64, e event) ([]float64, error) { return append(all, e.Value), nil }, operators.GroupByGroups(groups))
			})
		})
	}
}

// BenchmarkGroupByByHand is the fold of a number in a map, without operators.
func BenchmarkGroupByByHand(b *testing.B) {
	in := events()
	for _, groups := range []int64{8, 512} {
		b.Run(fmt.Sprintf("%d groups", groups), func(b *testing.B) {
			sums := map[int64]*float64{}
			for b.Loop() {
				for i := range in {
					sum := sums[in[i].Seq%groups]
					if sum == nil {
						sum = new(float64)
						sums[in[i].Seq%groups] = sum
					}
					*sum += in[i].Value
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		})
	}
}
