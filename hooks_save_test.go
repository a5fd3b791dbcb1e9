package rxcql_test

import (
	"context"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/source"
)

func TestASaveIsToldWithItsPositions(t *testing.T) {
	var saves []rxcql.SaveEvent
	store := &jobtest.Store{}
	hooks := rxcql.WithHooks(rxcql.Hooks{SaveEnd: func(_ context.Context, e rxcql.SaveEvent) { saves = append(saves, e) }})
	in := source.SeqFrom("numbers", func(from int64) iter.Seq2[int, error] { return numbers(30, nil) }, source.PageRows(10))
	_, err := pipeline(t, in, rxcql.Sink[int](&resuming{}), rxcql.WithCheckpoint(store, "job"), hooks).Run(t.Context())
	require.NoError(t, err)
	last := saves[len(saves)-1]
	require.Positive(t, last.Bytes)
	require.NoError(t, last.Err)
	require.Equal(t, "job", last.Job)
	require.Equal(t, []rxcql.SourcePosition{{Stage: "Seq", RangesDone: 1, Rows: 30}}, last.Sources)
}
