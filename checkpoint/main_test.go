package checkpoint_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/rxcql/rxcql/internal/leak"
)

// helperEnv names what this binary does instead of running tests, so that tests
// can have processes of their own to stop, kill and take rights from.
const helperEnv = "RXCQL_CHECKPOINT_HELPER"

// helpers are run in a process of their own with the arguments that follow the
// test binary's; those that need a certain system add themselves.
var helpers = map[string]func(ctx context.Context, args []string) error{
	"hold": holdLock,
	"save": saveForEver,
}

func TestMain(m *testing.M) {
	name := os.Getenv(helperEnv)
	if name == "" {
		leak.Main(m)
		return
	}
	if err := helpers[name](context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
