package transfer_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
	"github.com/rxcql/rxcql/transfer"
)

// numbered is a row of the tables that jobs copy.
type numbered struct {
	P int32  `cql:"p"`
	C int32  `cql:"c"`
	S string `cql:"s"`
	V int64  `cql:"v"`
}

// fill writes rows into a table that it makes, in partitions of 20 rows.
func fill(t *testing.T, table transfer.Table, rows int) {
	t.Helper()
	run(t, table.Session, "CREATE TABLE "+table.Name+" (p int, c int, s text static, v bigint, PRIMARY KEY (p, c))")
	in := source.Seq(func(yield func(numbered, error) bool) {
		for i := range rows {
			if !yield(numbered{int32(i / 20), int32(i % 20), "static", int64(i)}, nil) {
				return
			}
		}
	})
	_, err := rxcql.Run(context.Background(), in, sink.Table[numbered](table.Session, table.Name))
	require.NoError(t, err)
}

func TestTransferCopyGoesOnUnderOtherSplitsAndWorkers(t *testing.T) {
	origin, from := cassandra.Keyspace(t, cluster)
	target, to := cassandra.Keyspace(t, cluster)
	fill(t, transfer.Table{Session: origin, Name: from + ".t"}, 4000)
	store := checkpoint.File(filepath.Join(t.TempDir(), "copy"))
	settings := []struct{ splits, workers int }{{8, 1}, {32, 4}, {3, 2}, {64, 8}}
	stops := 0
	var resumed int64
	for n := 0; ; n++ {
		require.Less(t, n, 100, "each run does a part of the rest")
		s := settings[n%len(settings)]
		var job *transfer.CopyJob
		pages := make(chan struct{}, 3) // the run is stopped at its fourth page with rows
		hooks := rxcql.Hooks{PageRead: func(_ context.Context, e rxcql.PageEvent) {
			if e.Rows == 0 {
				return
			}
			select {
			case pages <- struct{}{}:
			default:
				job.Stop()
			}
		}}
		job, err := transfer.Copy(transfer.Table{Session: origin, Name: from + ".t"}, transfer.Table{Session: target, Name: to + ".t"},
			transfer.Create(), transfer.Rename("v", "value"), transfer.WithSplits(s.splits), transfer.WithWorkers(s.workers),
			transfer.WithCheckpoint(store, "copy"), transfer.WithRun(rxcql.WithHooks(hooks)))
		require.NoError(t, err)
		rep, err := job.Run(context.Background())
		require.NoError(t, err)
		if rep.Complete {
			resumed = rep.ResumedRows
			break
		}
		require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
		stops++
	}
	require.Positive(t, stops)
	require.Positive(t, resumed)
	var rows, sum int64
	require.NoError(t, target.Query("SELECT count(value), sum(value) FROM t").Scan(&rows, &sum))
	require.EqualValues(t, 4000, rows)
	require.EqualValues(t, 4000*3999/2, sum)
	copied(t, target, target, to+".t", to+".back", transfer.Create(), transfer.Rename("value", "v"))
	require.Equal(t, asJSON(t, origin, "t"), asJSON(t, target, "back"))
}

func TestTransferCopyInSharesIsTheWholeTable(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, transfer.Table{Session: session, Name: ks + ".t"}, 1000)
	var written int64
	for i := range 3 {
		rep := copied(t, session, session, ks+".t", ks+".u", transfer.Create(), transfer.WithShard(i, 3), transfer.WithSplits(16))
		require.Less(t, rep.Written, int64(1000))
		written += rep.Written
	}
	require.EqualValues(t, 1000, written)
	require.Equal(t, asJSON(t, session, "t"), asJSON(t, session, "u"))
}
