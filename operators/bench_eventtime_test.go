package operators_test

import (
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

func BenchmarkEventTime(b *testing.B) {
	at := func(e event) (time.Time, error) { return time.Unix(0, e.At), nil }
	for name, opts := range map[string][]operators.EventTimeOption{
		"alone":    {operators.OutOfOrderness(time.Second)},
		"MaxAhead": {operators.OutOfOrderness(time.Second), operators.MaxAhead(1 << 62)},
	} {
		b.Run(name, func(b *testing.B) {
			measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.EventTime(in, at, opts...) })
		})
	}
}
