package operators_test

import (
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

func BenchmarkRetry(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Retry(in) })
}

func BenchmarkRecover(b *testing.B) {
	measure(b, func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Recover(in, in) })
}
