package operators_test

import (
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

func BenchmarkThrottle(b *testing.B) {
	for name, limit := range map[string]*rxcql.Rate{
		"rows":           rxcql.NewRate(rxcql.RowsPerSecond(1e12)),
		"rows and bytes": rxcql.NewRate(rxcql.RowsPerSecond(1e12), rxcql.BytesPerSecond(1e15)),
		"unlimited":      rxcql.NewRate(rxcql.RowsPerSecond(rxcql.Unlimited)),
	} {
		b.Run(name, func(b *testing.B) {
			measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Throttle(in, limit) })
		})
	}
}

func BenchmarkBuffer(b *testing.B) {
	for _, policy := range []rxcql.Overflow{rxcql.OverflowBlock, rxcql.OverflowDropOldest} {
		b.Run(policy.String(), func(b *testing.B) {
			measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Buffer(in, 4*benchRows, policy) })
		})
	}
}

func BenchmarkTimeout(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Timeout(in, time.Hour) })
}

func BenchmarkSample(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Sample(in, time.Millisecond) })
}

func BenchmarkDebounce(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Debounce(in, time.Millisecond) })
}

func BenchmarkConflate(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[float64] {
		return operators.Conflate(in, func() float64 { return 0 }, func(sum float64, e event) (float64, error) { return sum + e.Value, nil })
	})
}
