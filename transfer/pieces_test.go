package transfer_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/gravetest"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
	"github.com/rxcql/rxcql/transfer"
)

// untilDone runs a job of a table until it comes to its end, with other splits and workers each
// time. Runs are broken off at random. After a run that has left something unread, half of the
// tombstones are compacted away. It returns how many such runs there were.
func untilDone(t *testing.T, g *gravetest.Table, run func(opts []transfer.Option, splits transfer.RangeOption) (rxcql.Report, error)) (unread int) {
	t.Helper()
	store := &jobtest.Store{}
	g.Each = 20 * time.Millisecond // so that positions are saved in the middle of a run
	for n := 0; ; n++ {
		require.Less(t, n, 200)
		g.FailAfter(5 + g.Random.IntN(60) + 5*n)
		report, err := run([]transfer.Option{
			transfer.WithWorkers(1 + g.Random.IntN(3)), transfer.WithRun(rxcql.WithRetry(0, 0)),
			transfer.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)),
		}, transfer.WithSplits(1+g.Random.IntN(5)))
		if err == nil {
			require.True(t, report.Complete)
			return unread
		}
		require.False(t, report.Complete)
		if report.UnreadParts > 0 {
			unread++
			graves := g.Graves()
			g.Clear(graves[:len(graves)/2]...)
		}
	}
}

// A count that is broken off at random, with other splits and workers each time, while tombstones
// are compacted away in between: partitions of which a part came later are one.
func TestACountGoesOnWithWhatWasUnread(t *testing.T) {
	unread := 0
	eachGraveyard(t, 10, func(t *testing.T, g *gravetest.Table) {
		var got transfer.CountReport
		unread += untilDone(t, g, func(opts []transfer.Option, splits transfer.RangeOption) (rxcql.Report, error) {
			all := []transfer.CountOption{splits, transfer.CountSizes(), transfer.CountLargest(2)}
			for _, o := range opts {
				all = append(all, o)
			}
			var err error
			got, err = count(t, g.Session, all...)
			return got.Run, err
		})
		got.Run = rxcql.Report{}
		require.Equal(t, counted(g, 2), got)
	})
	require.Greater(t, unread, 3)
}

func TestAnUnloadAmongTombstonesGoesOnAndHasEachRowOnce(t *testing.T) {
	unread := 0
	eachGraveyard(t, 6, func(t *testing.T, g *gravetest.Table) {
		path := filepath.Join(t.TempDir(), "rows.ndjson")
		statics := len(g.StaticOnly())
		unread += untilDone(t, g, func(opts []transfer.Option, splits transfer.RangeOption) (rxcql.Report, error) {
			all := []transfer.UnloadOption{splits}
			for _, o := range opts {
				all = append(all, o)
			}
			job, err := transfer.Unload(transfer.Table{Session: g.Session, Name: "ks.t"}, path, all...)
			require.NoError(t, err)
			report, err := job.Run(t.Context())
			return report.Report, err
		})
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		counts := map[int]int{}
		for _, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
			if line == "" {
				continue
			}
			row := struct{ V *int }{}
			require.NoError(t, json.Unmarshal([]byte(line), &row))
			if row.V == nil {
				statics--
				continue
			}
			counts[*row.V]++
		}
		require.Zero(t, statics)
		require.Len(t, counts, len(g.Rows))
		for v := range g.Rows {
			require.Equal(t, 1, counts[v], "row %d", v)
		}
	})
	require.Greater(t, unread, 3)
}

func TestACopyAmongTombstonesGoesOnAndLosesNoRow(t *testing.T) {
	unread := 0
	eachGraveyard(t, 12, func(t *testing.T, g *gravetest.Table) {
		target := cqlfake.New(t)
		target.Keyspace("ks", "t (k blob, c int, d text, s int STATIC, v int, PRIMARY KEY (k, c, d))")
		session := target.Session("ks")
		times := g.Random.IntN(2) == 0
		unread += untilDone(t, g, func(opts []transfer.Option, splits transfer.RangeOption) (rxcql.Report, error) {
			all := []transfer.CopyOption{splits}
			for _, o := range opts {
				all = append(all, o)
			}
			if times {
				all = append(all, transfer.WithTimes())
			}
			job, err := transfer.Copy(transfer.Table{Session: g.Session, Name: "ks.t"}, transfer.Table{Session: session, Name: "ks.t"}, all...)
			require.NoError(t, err)
			report, err := job.Run(t.Context())
			return report.Report, err
		})
		type copied struct {
			K []byte  `cql:"k"`
			C *int    `cql:"c"`
			D *string `cql:"d"`
			S *int    `cql:"s"`
			V *int    `cql:"v"`
		}
		rows, statics := map[int]gravetest.Row{}, map[string]bool{}
		_, err := source.Table[copied](session, "ks.t").ForEach(context.Background(), func(r copied) error {
			if r.S != nil {
				statics[string(r.K)] = true
			}
			if r.V != nil {
				rows[*r.V] = gravetest.Row{K: r.K, C: *r.C, D: *r.D, V: *r.V}
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, g.Rows, rows)
		require.Equal(t, g.Static, statics)
	})
	require.Greater(t, unread, 3)
}
