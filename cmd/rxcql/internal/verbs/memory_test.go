package verbs_test

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/verbs"
)

func TestTheCollectorWaitsForMoreGarbageUnlessTheEnvironmentSaysOtherwise(t *testing.T) {
	const percent, limit = 77, 1 << 40
	before, most := debug.SetGCPercent(percent), debug.SetMemoryLimit(limit)
	t.Cleanup(func() {
		debug.SetGCPercent(before)
		debug.SetMemoryLimit(most)
	})
	t.Setenv("GOGC", "77")
	t.Setenv("GOMEMLIMIT", "1TiB")
	verbs.LimitMemory(64 << 20)
	require.Equal(t, percent, debug.SetGCPercent(percent))
	require.EqualValues(t, limit, debug.SetMemoryLimit(-1))

	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	verbs.LimitMemory(64 << 20)
	require.Greater(t, debug.SetGCPercent(percent), 100)
	require.EqualValues(t, 112<<20, debug.SetMemoryLimit(-1))
}
