package sink_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// pages gives rows in pages of so many.
func pages(all []event, rows int) rxcql.Stream[event] {
	return source.Seq(func(yield func(event, error) bool) {
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
	}, source.PageRows(rows))
}

func TestAWriteThatFailsLeavesItsPagesOpenAndIsTheRunsError(t *testing.T) {
	broken := errors.New("broken")
	server := func(_ context.Context, s sink.Sent) error {
		time.Sleep(time.Second) // by then all are in flight
		if s.Rows[0].Values[0].([]byte)[7] == 1 {
			return broken
		}
		time.Sleep(time.Second) // those in flight are finished
		return nil
	}
	for rows, open := range map[int]int64{
		100: 1, // of three pages, one a partition
		50:  2, // of six, two a partition: both of the batch that failed
		300: 1, // the only one: what was written of it does not settle it
	} {
		synctest.Test(t, func(t *testing.T) {
			rep, err := run(t, pages(partitions(3, 100), rows), sink.TableOn[event](server, events()))
			var unknown *rxcql.UnknownOutcomeError // the server's word for it says nothing of what it did
			require.ErrorAs(t, err, &unknown)
			require.EqualValues(t, 100, unknown.Rows)
			stage, ok := unknown.Err.(*rxcql.StageError) // not wrapped, nor joined with an echo
			require.True(t, ok, "%v", err)
			require.Equal(t, "Table ks.t", stage.Stage)
			require.ErrorIs(t, err, broken)
			var row *rxcql.RowError
			require.ErrorAs(t, err, &row)
			require.GreaterOrEqual(t, rep.Pages, int64(300/rows))
			require.Equal(t, open, rep.Pages-rep.PagesSettled)
			require.EqualValues(t, 200, rep.Written)
			require.Zero(t, rep.BytesInFlight)
			require.False(t, rep.Complete)
		})
	}
}
