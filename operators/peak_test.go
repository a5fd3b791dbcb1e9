package operators_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestZZPeakPublic(t *testing.T) {
	rows := func(n int, late time.Duration) rxcql.Stream[string] {
		return source.Seq(func(yield func(string, error) bool) {
			time.Sleep(late)
			for range n {
				if !yield(strings.Repeat("x", 100), nil) {
					return
				}
			}
		})
	}
	for _, late := range []time.Duration{300 * time.Millisecond} {
		a := operators.Batch(rows(21000, 0), operators.BatchRows(21000), operators.BatchBytes(1<<40))
		b := operators.Batch(rows(27000, late), operators.BatchRows(27000), operators.BatchBytes(1<<40))
		z := operators.Zip(a, b, func(x, y []string) (int, error) { return len(x) + len(y), nil })
		rep, err := z.ForEach(context.Background(), func(n int) error { t.Log("zipped", n); return nil }, rxcql.WithBudget(4<<20))
		t.Logf("err %v", err)
		bound := rep.Budget + int64(rep.PeakFetches)*rep.LargestPage
		t.Logf("budget %d peak %d bound %d fetches %d largest %d", rep.Budget, rep.PeakBytes, bound, rep.PeakFetches, rep.LargestPage)
		if rep.PeakBytes > bound {
			t.Error("promise broken")
		}
	}
}
