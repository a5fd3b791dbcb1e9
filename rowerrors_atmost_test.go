package rxcql_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
)

func TestDeadLettersHaveAMaximumIfOneIsSet(t *testing.T) {
	store := &drawer{}
	rep, err := skipping(t, badAt(100, errRow, tenth), rxcql.AtMost(rxcql.DeadLetter(store), 10))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, []int64{90, 10, 0}, []int64{rep.Written, rep.DeadLettered, rep.Skipped})
	require.Len(t, store.letters, 10)

	store = &drawer{}
	rep, err = skipping(t, badAt(100, errRow, tenth), rxcql.AtMost(rxcql.DeadLetter(store), 3))
	var limit *rxcql.SkipLimitError
	require.ErrorAs(t, err, &limit)
	require.ErrorIs(t, err, rxcql.ErrSkipLimit)
	require.ErrorIs(t, err, errRow)
	require.Equal(t, []any{"AtMost(3)", int64(4)}, []any{limit.Limit, limit.Failed})
	require.False(t, rep.Complete)
	require.Len(t, store.letters, 4, "the row that is one too many is a letter too")
	require.Equal(t, 1, store.closed)

	_, err = skipping(t, badAt(100, errRow, tenth), rxcql.AtMost(rxcql.DeadLetter(&drawer{}), 0))
	require.ErrorIs(t, err, rxcql.ErrSkipLimit)
}

func TestDeadLettersHaveAMaximumInPerCent(t *testing.T) {
	for most, fails := range map[float64]bool{10: false, 9.9: true} {
		store := &drawer{}
		_, err := skipping(t, badAt(100, errRow, tenth), rxcql.AtMostPercent(rxcql.DeadLetter(store), most, 1000))
		if !fails {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, rxcql.ErrSkipLimit, "at the end")
		require.ErrorContains(t, err, "AtMostPercent(9.9, 1000)")
		require.Len(t, store.letters, 10)
	}
}

func TestAMaximumForAPolicyThatHasOneIsRefused(t *testing.T) {
	letters := rxcql.DeadLetter(&drawer{})
	for _, policy := range []rxcql.RowErrorPolicy{
		rxcql.AtMost(rxcql.FailOnRowError(), 3), rxcql.AtMost(rxcql.SkipRows(5), 3), rxcql.AtMost(letters, -1),
		rxcql.AtMostPercent(letters, 0, 1), rxcql.AtMostPercent(rxcql.AtMost(letters, 3), 5, 0), rxcql.AtMost(rxcql.DeadLetter(nil), 3),
	} {
		_, err := rxcql.New(seq(1), &memory[int]{}, rxcql.WithRowErrors(policy))
		require.ErrorIs(t, err, rxcql.ErrConfig)
	}
}
