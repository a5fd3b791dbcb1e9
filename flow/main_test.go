package flow_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/rxcql/rxcql/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// alone runs a test in a bubble of its own, which fails it if a goroutine is
// left behind, and where time passes only while everything waits.
func alone(t *testing.T, name string, fn func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, fn) })
}

var errTest = errors.New("broken on purpose")
