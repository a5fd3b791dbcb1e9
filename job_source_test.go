package rxcql_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
)

func TestAStreamThatIsReadTwiceInAJobIsRefusedByNew(t *testing.T) {
	to := rxcql.Sink[int](&resuming{})
	with := rxcql.WithCheckpoint(&jobtest.Store{}, "job")
	kept := func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.Filter(in, func(int) bool { return true })
	}
	s := tens(1).Stream()
	mapped := operators.Map(s, func(n int) (int, error) { return n, nil })
	for name, twice := range map[string]rxcql.Stream[int]{
		"at once":             operators.Merge(s, s),
		"by two operators":    operators.Merge(kept(s), kept(s)),
		"behind an operator":  kept(operators.Merge(kept(mapped), mapped)),
		"in more ways than 2": operators.Merge(s, kept(s), mapped, mapped),
	} {
		_, err := rxcql.New(twice, to, with)
		require.ErrorIs(t, err, rxcql.ErrConfig, name)
		require.ErrorIs(t, err, rxcql.ErrNotResumable, name)
		require.ErrorContains(t, err, "Parts: ", name)
		require.ErrorContains(t, err, "read twice in one run; make a stream for each use", name)

		_, err = rxcql.New(twice, to)
		require.NoError(t, err, "%s: without a checkpoint it may be", name)
	}
	_, err := rxcql.New(operators.Merge(kept(s), kept(tens(1).Stream())), to, with)
	require.NoError(t, err, "two streams of one name")

	for range 100 {
		s = operators.Merge(s, s) // 2^100 ways
	}
	_, err = rxcql.New(s, to, with)
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
}
