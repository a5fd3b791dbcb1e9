package source_test

import (
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/cqltest"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/source"
)

// unpaged is a server that answers a statement with so many rows with paging off
// alone, and each time only when it is asked again.
func unpaged(rows int) *cqltest.Script {
	busy := false
	return &cqltest.Script{Statement: scripted, Answer: func(size int, state string) ([]int32, string, message.Message) {
		if size > 0 {
			return nil, "", &message.Invalid{ErrorMessage: "Cannot page queries with both ORDER BY and a IN restriction on the partition key; " +
				"you must either remove the ORDER BY or the IN and sort client side, or disable paging for this query"}
		}
		if busy = !busy; busy {
			return nil, "", &message.Overloaded{ErrorMessage: "busy"}
		}
		return numbers(rows), "", nil
	}}
}

func TestAStatementThatCannotBePagedIsReadWholeAlsoInAJob(t *testing.T) {
	s := unpaged(20_000)
	stream := source.Query[int32](s.Start(t), scripted)
	var rows []int32
	rep, err := stream.ForEach(t.Context(), func(v int32) error { rows = append(rows, v); return nil })
	require.NoError(t, err)
	require.Equal(t, numbers(20_000), rows)
	require.EqualValues(t, 1, rep.Pages)
	require.Equal(t, []int{100, 0, 0}, s.Sizes())

	store := &jobtest.Store{}
	_, broken := runUntil(t, stream, store, 300, true)
	require.False(t, broken.Complete)
	rows, rep = runUntil(t, stream, store, 0, false)
	require.Equal(t, numbers(20_000), rows)
	require.Zero(t, rep.ResumedRows)
	require.True(t, rep.Complete)
}

func TestAnAnswerThatIsLargerThanTheBudgetAndCannotBePagedIsRefusedWithAdvice(t *testing.T) {
	stream := source.Query[int32](unpaged(20_000).Start(t), scripted)
	rep, err := stream.ForEach(t.Context(), func(int32) error { return nil }, rxcql.WithBudget(rxcql.MinBudgetPerInput))
	for _, words := range []string{"ORDER BY", "IN on the partition key", "160000 bytes", "65536", "rxcql.WithBudget", "LIMIT"} {
		require.ErrorContains(t, err, words)
	}
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.Zero(t, rep.ReadRows)
	require.Zero(t, rep.BytesInFlight)
	n, err := stream.Count(t.Context(), rxcql.WithBudget(160_000))
	require.NoError(t, err)
	require.EqualValues(t, 20_000, n)
}
