package operators_test

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

type device string

// A key of any type of string is copied: else it would keep what lies around it.
func TestAKeyThatIsAStringIsCopied(t *testing.T) {
	chunk := strings.Repeat("x", 1000) + "sensor-1"
	key := chunk[1000:]
	plain, err := operators.GroupBy(source.Of(1), func(int) string { return key },
		func() int { return 0 }, func(n, _ int) (int, error) { return n + 1, nil }, operators.GroupByBytes(1<<20)).Collect(t.Context())
	require.NoError(t, err)
	named, err := operators.GroupBy(source.Of(1), func(int) device { return device(key) },
		func() int { return 0 }, func(n, _ int) (int, error) { return n + 1, nil }, operators.GroupByBytes(1<<20)).Collect(t.Context())
	require.NoError(t, err)
	for _, kept := range []string{plain[0].Key, string(named[0].Key)} {
		require.Equal(t, key, kept)
		require.NotSame(t, unsafe.StringData(key), unsafe.StringData(kept))
	}
}
