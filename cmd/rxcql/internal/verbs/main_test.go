package verbs_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/verbs"
)

func TestMain(m *testing.M) {
	if os.Getenv(crashes) != "" {
		verbs.Main()
		go func() { panic("out of reach") }() // as in a goroutine of the driver
		select {}
	}
	goleak.VerifyTestMain(m)
}

// crashes is the variable by which a test has its own program crash behind a run of the command.
const crashes = "RXCQL_TEST_CRASHES"
