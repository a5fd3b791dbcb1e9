package verbs_test

import (
	"os"
	"testing"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/verbs"
	"github.com/rxcql/rxcql/internal/leak"
)

func TestMain(m *testing.M) {
	if os.Getenv(crashes) != "" {
		verbs.Main()
		go func() { panic("out of reach") }() // as in a goroutine of the driver
		select {}
	}
	leak.Main(m)
}

// crashes is the variable by which a test has its own program crash behind a run of the command.
const crashes = "RXCQL_TEST_CRASHES"
