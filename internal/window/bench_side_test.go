package window_test

import (
	"math/rand/v2"
	"testing"

	"github.com/rxcql/rxcql/internal/window"
)

// BenchmarkSideOfOneKey keeps 100,000 rows of one key, in pages of 512 behind which rows of the
// other side ask for those about a time, and once row by row: rows that come in the order of time,
// almost so, and in any order.
func BenchmarkSideOfOneKey(b *testing.B) {
	const rows = 100_000
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // figures are to be the same each time
	shuffled, almost := random.Perm(rows), make([]int, rows)
	for i := range almost {
		almost[i] = i - random.IntN(20)
	}
	for how, of := range map[string]struct {
		at   func(i int) int64
		page int
	}{
		"in order":                 {func(i int) int64 { return int64(i) }, 512},
		"almost in order":          {func(i int) int64 { return int64(almost[i]) }, 512},
		"in any order":             {func(i int) int64 { return int64(shuffled[i]) }, 512},
		"in any order, one by one": {func(i int) int64 { return int64(shuffled[i]) }, 1},
	} {
		at, page := of.at, of.page
		b.Run(how, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s := window.NewSide(window.SideConfig[reading, int64]{
					Reach: rows, SizeRow: func(*reading) int { return 24 }, SizeKey: func(*int64) int { return 8 }, Keep: func(k int64) int64 { return k },
				})
				found := 0
				for i := range rows {
					s.Add(at(i), 1, reading{1, at(i), 1}, false)
					if i%page == page-1 {
						for n := range page {
							within := s.Within(1, at(i-n)-5, at(i-n)+5)
							for within.Next() != nil {
								found++
							}
						}
					}
				}
				if s.Rows() != rows || found < rows/page*page {
					b.Fatal(s.Rows(), found)
				}
			}
			b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
