package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

func TestAKeyThatComesAgainAfterAResumeIsAGroupOfItsOwn(t *testing.T) {
	parts, store := &jobtest.Parts[int]{Rows: [][]int{{7, 7, 8, 7, 9}}, PageRows: 1}, &jobtest.Store{}
	groups := operators.GroupAdjacent(parts.Stream(), func(n int) int { return n }, zero, func(rows, _ int) (int, error) { return rows + 1, nil })
	type group = operators.Group[int, int]
	run := func(failAt int) (got []group, err error) {
		p, err := rxcql.New(groups, sink.Each(func(_ context.Context, g group) error {
			if len(got) == failAt {
				return errUser
			}
			got = append(got, g)
			return nil
		}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		_, err = p.Run(context.Background())
		return got, err
	}
	got, err := run(1)
	require.ErrorIs(t, err, errUser)
	require.Equal(t, []group{{Key: 7, Value: 2, Rows: 2}}, got)
	got, err = run(-1)
	require.NoError(t, err)
	require.Equal(t, []group{{Key: 8, Value: 1, Rows: 1}, {Key: 7, Value: 1, Rows: 1}, {Key: 9, Value: 1, Rows: 1}}, got)
}

func TestKeysAreHashedAlikeForEqualKeysOnly(t *testing.T) {
	type pair struct{ a, b string }
	for _, keys := range [][]any{
		{pair{"ab", "c"}, pair{"a", "bc"}, pair{"", "abc"}, pair{"abc", ""}}, {"", "a", "b", "ab"}, {0, 1, -1, 1 << 40},
		{1.5, 2.5, -1.5}, {true, false}, {[2]int{1, 2}, [2]int{2, 1}}, {complex(1, 2), complex(2, 1)},
	} {
		seen := map[string]bool{}
		for _, key := range keys {
			require.Equal(t, operators.HashKey(key), operators.HashKey(key))
			seen[string(operators.HashKey(key))] = true
		}
		require.Len(t, seen, len(keys), "%v", keys)
	}
}
