package rxcql_test

import (
	"context"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
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

func TestASaveCountsTheRowsOfRangesThatAreBegun(t *testing.T) {
	var last rxcql.SaveEvent
	hooks := rxcql.WithHooks(rxcql.Hooks{SaveEnd: func(_ context.Context, e rxcql.SaveEvent) { last = e }})
	to := &resuming{}
	var p *rxcql.Pipeline
	to.write = func(_ context.Context, page *flow.Page[int]) error {
		if len(to.got())+len(page.Rows) == 4 {
			p.Stop()
		}
		return nil
	}
	p = pipeline(t, tens(1).Stream(), rxcql.Sink[int](to), rxcql.WithCheckpoint(&jobtest.Store{}, "job"), hooks)
	_, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, last.Sources, 1)
	require.Equal(t, []any{0, 1, int64(4)}, []any{last.Sources[0].RangesDone, last.Sources[0].RangesBegun, last.Sources[0].Rows})
}
