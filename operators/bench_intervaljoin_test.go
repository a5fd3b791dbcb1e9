package operators_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// BenchmarkIntervalJoin joins two streams of 10,000 keys in which each row has one partner: the one
// of its own moment. Event time moves behind each page. The figure is rows of both sides.
func BenchmarkIntervalJoin(b *testing.B) {
	const pages = 3000
	for how, key := range map[string]func(i int64) int64{
		"keys in turn":       func(i int64) int64 { return i * 7919 },
		"8 rows of each key": func(i int64) int64 { return i / 8 * 7919 },
	} {
		b.Run(how, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s := operators.IntervalJoin(ticking(pages, key), ticking(pages, key), tick, tick, tickKey, tickKey, 0, 0, operators.IntervalJoinRows(1<<40))
				n, err := s.Count(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if n != pages*benchRows {
					b.Fatalf("%d pairs", n)
				}
			}
			b.ReportMetric(float64(b.N)*2*pages*benchRows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkIntervalJoinAlone has rows without partners.
func BenchmarkIntervalJoinAlone(b *testing.B) {
	const pages = 3000
	b.ReportAllocs()
	for b.Loop() {
		key := func(e event) int64 { return -1 - e.Sensor }
		s := operators.IntervalJoin(ticking(pages, func(i int64) int64 { return i * 7919 }), ticking(pages, func(i int64) int64 { return i * 7919 }),
			tick, tick, tickKey, key, -time.Millisecond, time.Millisecond, operators.IntervalJoinRows(1<<40))
		n, err := s.Count(b.Context())
		if err != nil || n != 0 {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.N)*2*pages*benchRows/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkIntervalJoinOfOneKey joins 100,000 rows of one key on each side, which come in the order
// of time or in any order within the reach of the interval. Each has one partner.
func BenchmarkIntervalJoinOfOneKey(b *testing.B) {
	const rows = 100_000
	shuffled := rand.New(rand.NewPCG(1, 2)).Perm(rows) //nolint:gosec // figures are to be the same each time
	inOrder := make([]int, rows)
	for i := range inOrder {
		inOrder[i] = i
	}
	for how, order := range map[string][]int{"in order": inOrder, "in any order": shuffled} {
		b.Run(how, func(b *testing.B) {
			b.ReportAllocs()
			at := func(n int) time.Time { return time.Unix(0, int64(n)*1000) }
			key := func(int) int { return 0 }
			for b.Loop() {
				s := operators.IntervalJoin(source.Of(order...), source.Of(order...), at, at, key, key, 0, 0, operators.IntervalJoinRows(2*rows))
				n, err := s.Count(b.Context())
				if err != nil || n != rows {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(b.N)*2*rows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
