package source_test

import (
	"flag"
	"testing"

	"github.com/rxcql/rxcql/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

var trials = flag.Int("source.seeds", 12, "seeds of the tests that run many; with -short a third of them are tried")

// someSeeds are the seeds of a test that runs many.
func someSeeds() uint64 {
	if testing.Short() {
		return uint64(max(1, *trials/3))
	}
	return uint64(*trials)
}
