package ringtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/ringtest"
)

func TestAKeyCanBeMadeForAnyToken(t *testing.T) {
	for _, token := range []int64{-1 << 63, -1<<63 + 1, -1, 0, 1, 1<<63 - 2, 1<<63 - 1} {
		if token == -1<<63 { // no row has it: the partitioner makes the other end of it
			require.Equal(t, int64(1<<63-1), ring.Token(ringtest.KeyOf(token, 7)))
			continue
		}
		require.Equal(t, token, ring.Token(ringtest.KeyOf(token, 7)))
		require.NotEqual(t, ringtest.KeyOf(token, 7), ringtest.KeyOf(token, 8))
	}
}
