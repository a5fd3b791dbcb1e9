package sink_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
)

// blank is a row whose every cell may be empty text: Cassandra takes that in a
// partition key of two columns, and in a clustering key.
type blank struct {
	A string `cql:"a"`
	B string `cql:"b"`
	C string `cql:"c"`
	V string `cql:"v"`
}

func blanks() *schema.Table {
	return tableOf(column("a", schema.PartitionKey, "text"), column("b", schema.PartitionKey, "text"),
		column("c", schema.Clustering, "text"), column("v", schema.Regular, "text"))
}

func TestAPageIsNotSettledBeforeARowOfEmptyCellsIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &jobtest.Store{}
		parts := &jobtest.Parts[blank]{PageRows: 1, Rows: [][]blank{{{}, {A: "x", B: "y", C: "z", V: "v"}}}}
		var written atomic.Int64
		broken := errors.New("the server is gone")
		server := func(_ context.Context, s sink.Sent) error {
			if len(s.Rows) == 1 && len(s.Rows[0].Values[0].([]byte)) == 0 { // the empty row: hangs, and fails
				time.Sleep(3 * time.Second)
				return broken
			}
			written.Add(int64(len(s.Rows)))
			return nil
		}
		p, err := rxcql.New(parts.Stream(), sink.TableOn[blank](server, blanks()), rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		rep, err := p.Run(context.Background())
		require.ErrorIs(t, err, broken)
		require.EqualValues(t, 1, rep.Written)

		// The row of the first page was not written: a run that goes on must read it again.
		state, err := store.State("job")
		require.NoError(t, err)
		require.Empty(t, state.Sources[0].Done, "the whole source counts as done, and one of its rows was never written")
		for _, part := range state.Sources[0].Parts {
			require.Zero(t, part.Pages, "the page counts as settled, and its row was never written")
		}
	})
}
