package operators_test

import (
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// benchLookup looks up 512 keys again and again, from a server in this process. What a look-up
// costs on a real one is in bench.
func benchLookup(b *testing.B, opts ...operators.LookupOption) {
	fakeCustomers()
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[reading] {
		return operators.Lookup(in, fakeCustomers(), nameOfCustomer,
			func(e event) ([]any, error) { return []any{e.Seq}, nil },
			func(e event, _ operators.Found[string]) (reading, error) { return toReading(e) },
			opts...)
	})
}

// BenchmarkLookupCached is what a row costs that is in the cache.
func BenchmarkLookupCached(b *testing.B) { benchLookup(b, operators.LookupCache(1<<20, time.Hour)) }

func BenchmarkLookup256(b *testing.B) { benchLookup(b) }
