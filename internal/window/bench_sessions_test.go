package window_test

import (
	"fmt"
	"testing"

	"github.com/rxcql/rxcql/internal/window"
)

// BenchmarkSessionsOfOneKey adds rows of one key that has so many open sessions, out of order: one
// to a session that is there, and one that begins another. The clock goes on by one session, so
// that one ends.
func BenchmarkSessionsOfOneKey(b *testing.B) {
	const apart, gap = 100, 50
	for _, open := range []int64{1, 10, 100, 10_000, 1_000_000} {
		b.Run(fmt.Sprintf("%d open", open), func(b *testing.B) {
			w := window.NewSessions(sumConfig(), gap)
			add := func(number int64) {
				r := reading{0, number * apart, 1}
				if _, err := w.Add(r.at, r.sensor, &r); err != nil {
					b.Fatal(err)
				}
			}
			for i := range open {
				add(i * 7919 % open)
			}
			b.ReportAllocs()
			first := int64(0)
			for b.Loop() {
				add(first + first*7919%open)
				add(first + open)
				first++
				if err := w.Advance((first-1)*apart+gap, func(*window.State[int64, float64], int64, int64, window.Kind) error {
					return nil
				}); err != nil {
					b.Fatal(err)
				}
			}
			if kept := w.States(); kept < open {
				b.Fatalf("%d are open", kept)
			}
		})
	}
}
