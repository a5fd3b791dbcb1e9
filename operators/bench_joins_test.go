package operators_test

import (
	"cmp"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

func BenchmarkZip(b *testing.B) {
	other := events()
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[reading] {
		return operators.Zip(in, pagesOf(other, 200), func(e, _ event) (reading, error) { return toReading(e) })
	})
}

// ofNumber are pages whose rows go up, whatever page they are in.
func ofNumber(step int64, pages int) rxcql.Stream[int64] {
	n := int64(0)
	return operators.Map(pagesOf(make([]int64, benchRows), pages), func(int64) (int64, error) { n += step; return n, nil })
}

func benchNumbers[T any](b *testing.B, build func() rxcql.Stream[T]) {
	b.Helper()
	rows := 0
	b.ReportAllocs()
	for b.Loop() {
		n, err := build().Count(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		rows += int(n)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
}

func BenchmarkMergeSortedOfTwo(b *testing.B) {
	benchNumbers(b, func() rxcql.Stream[int64] {
		return operators.MergeSorted(cmp.Compare[int64], ofNumber(1, 200), ofNumber(1, 200))
	})
}

func BenchmarkMergeSortedOfEight(b *testing.B) {
	benchNumbers(b, func() rxcql.Stream[int64] {
		var ins []rxcql.Stream[int64]
		for range 8 {
			ins = append(ins, ofNumber(1, 50))
		}
		return operators.MergeSorted(cmp.Compare[int64], ins...)
	})
}

// BenchmarkMergeJoinOfOneToOne counts pairs: each is two rows.
func BenchmarkMergeJoinOfOneToOne(b *testing.B) {
	benchNumbers(b, func() rxcql.Stream[rxcql.Pair[int64, int64]] {
		return operators.MergeJoin(ofNumber(1, 200), ofNumber(1, 200), itself[int64], itself[int64], cmp.Compare[int64])
	})
}

// BenchmarkMergeJoinOfHalf has rows of one side that come alone.
func BenchmarkMergeJoinOfHalf(b *testing.B) {
	benchNumbers(b, func() rxcql.Stream[rxcql.Pair[int64, int64]] {
		return operators.MergeJoin(ofNumber(1, 200), ofNumber(2, 100), itself[int64], itself[int64], cmp.Compare[int64])
	})
}
