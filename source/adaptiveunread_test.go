package source_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/gravetest"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// What a part that cannot be read is called. A d of "" has no other value in front of it.
const (
	noStatics = "static columns of a partition without rows"
	oneRow    = "one row"
	firstRow  = "rows between two values of d"
)

// buryRows makes some rows unreadable, and returns how many.
func buryRows(g *gravetest.Table) (n int) {
	for v := range len(g.Rows) {
		if g.Random.IntN(5) == 0 {
			g.BuryAt(g.Rows[v])
			n++
		}
	}
	return n
}

func TestRowsThatCannotBeReadAreNamedAndAllOthersAreRead(t *testing.T) {
	buried := 0
	seeds(t, 60, func(t *testing.T, g *gravetest.Table) {
		lost := buryRows(g)
		buried += lost
		counts := map[int]int{}
		report, err := readGraves(g).ForEach(t.Context(), func(row rxcql.Row) error {
			counts[numberOf(t, row)]++
			return nil
		}, rxcql.WithRetry(time.Second, 2))
		delete(counts, -1)
		require.Equal(t, lost == 0 && len(g.Hopeless()) == 0, err == nil)
		require.Equal(t, err == nil, report.Complete)
		named := 0
		for _, part := range report.Unread {
			if part.Within != noStatics {
				named++
			}
		}
		require.Equal(t, lost, named)
		require.Len(t, report.Unread, named+len(g.Hopeless()), "static columns come with a row that could be read")
		for v, row := range g.Rows {
			want := 1
			if g.Unreadable(row) {
				want = 0
			}
			require.Equal(t, want, counts[v], "row %d", v)
		}
	})
	require.Greater(t, buried, 100)
}

// The server gives a partition that has static columns only as a row, also to a reader that asks
// for no static column. Where tombstones hide that row, it is named and not lost.
func TestPartitionsOfStaticColumnsAreNamedAlsoWhereThoseAreNotRead(t *testing.T) {
	lost := 0
	for _, columns := range [][]string{{"k", "c"}, {"v"}} {
		seeds(t, 20, func(t *testing.T, g *gravetest.Table) {
			for k := range g.Hopeless() {
				g.SetStatic([]byte(k))
			}
			rows := 0
			report, err := source.Table[rxcql.Row](g.Session, "ks.t", source.AdaptiveSplits(), source.Columns(columns...), source.Splits(2)).
				ForEach(t.Context(), func(rxcql.Row) error { rows++; return nil }, rxcql.WithRetry(time.Second, 2))
			require.Equal(t, len(g.Rows)+len(g.StaticOnly())-lostStatics(g), rows)
			require.EqualValues(t, len(g.Hopeless()), report.UnreadParts)
			require.Equal(t, len(g.Hopeless()) == 0, err == nil)
			lost += lostStatics(g)
		})
	}
	require.Positive(t, lost)
}

// Whatever is compacted between its runs, and wherever it is broken off, a job gives every row
// once.
func TestAJobReadsWhatWasUnreadOnceItCanBeRead(t *testing.T) {
	again := 0
	seeds(t, 60, func(t *testing.T, g *gravetest.Table) {
		buryRows(g)
		store, given := &jobtest.Store{}, map[int]bool{}
		statics := len(g.StaticOnly())
		for run := 0; ; run++ {
			require.Less(t, run, 400)
			left := 1 + g.Random.IntN(8)
			in := source.Table[rxcql.Row](g.Session, "ks.t", source.AdaptiveSplits(), source.Splits(1+g.Random.IntN(5)), source.PageRows(1+g.Random.IntN(3)))
			report, err := rxcql.Run(t.Context(), in, sink.Each(func(_ context.Context, row rxcql.Row) error {
				if left--; left < 0 {
					return errCut
				}
				given[numberOf(t, row)] = true
				return nil
			}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithWorkers(1+g.Random.IntN(2)), rxcql.WithRetry(time.Second, 2),
				rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))
			if err == nil {
				require.True(t, report.Complete)
				require.EqualValues(t, len(g.Rows)+statics, report.ReadRows+report.ResumedRows, "each row is settled once")
				break
			}
			require.False(t, report.Complete)
			if report.UnreadParts > 0 {
				require.Error(t, err)
				again++
				graves := g.Graves()
				g.Clear(graves[:len(graves)/2]...)
			}
		}
		delete(given, -1)
		require.Len(t, given, len(g.Rows))
	})
	require.Greater(t, again, 50)
}

func TestColumnsOfTheKeyThatWereNotAskedForAreNotHandedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t)
		server.Keyspace("ks", "t (k int, c int, v text, w text, PRIMARY KEY (k, c))")
		server.Exec("INSERT INTO ks.t (k, c, v, w) VALUES (1, 2, 'a', 'b')")
		for _, columns := range [][]string{{"w"}, {"w", "c"}, {"w", "k", "v"}, {"c", "v", "w", "k"}} {
			rows, err := source.Table[rxcql.Row](server.Session(""), "ks.t", source.Columns(columns...), source.AdaptiveSplits()).Collect(t.Context())
			require.NoError(t, err)
			require.Len(t, rows, 1)
			var names []string
			for _, c := range rows[0].Columns().List() {
				names = append(names, c.Name)
			}
			require.Equal(t, columns, names)
			w, err := rxcql.Value[string](rows[0], "w")
			require.NoError(t, err)
			require.Equal(t, "b", w)
		}
	})
}
