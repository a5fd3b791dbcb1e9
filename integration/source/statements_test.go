package source_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// raw takes a cell as it is.
type raw []byte

func (r *raw) UnmarshalCQL(_ gocql.TypeInfo, data []byte) error {
	*r = append(raw(nil), data...)
	return nil
}

// alone is what the driver gives by itself.
func alone(t require.TestingT, session *gocql.Session, pageSize int, cql string, args []any) (rows []string) {
	iter := session.Query(cql, args...).PageSize(pageSize).Iter()
	cells := make([]raw, len(iter.Columns()))
	dest := make([]any, len(cells))
	for i := range cells {
		dest[i] = &cells[i]
	}
	for iter.Scan(dest...) {
		rows = append(rows, fmt.Sprintf("%x", cells))
	}
	require.NoError(t, iter.Close(), cql)
	return rows
}

func text(row rxcql.Row) string {
	cells := make([][]byte, row.Len())
	for i := range cells {
		cells[i] = row.Bytes(i)
	}
	return fmt.Sprintf("%x", cells)
}

// statement is a SELECT with what to bind.
type statement struct {
	cql  string
	args []any
}

// limits are where pages of ours begin and end, and places near these.
var limits = []int{1, 2, 99, 100, 101, 199, 200, 201, 399, 400, 401, 500, 1000, 1100, 1600, 4999, 5000, 5001, 9999, 10_000, 10_001, 12_000}

// drawStatement draws a SELECT from the table that fillForms makes.
func drawStatement(r *rapid.T, table string) (s statement) {
	draw := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(r, label) }
	columns, where, order, group := "p, c, s, v, x", "", "", ""
	filter := ""
	switch draw("form", "plain", "plain", "where", "where", "distinct", "group", "json", "functions", "count") {
	case "distinct":
		columns = "DISTINCT p, s"
		where = draw("where", "", "WHERE p IN (0, 1, 2, 3, 50, 51, 52, 60, 2000)", "WHERE token(p) > -4000000000000000000")
	case "group":
		columns = "p, c, count(*), max(v)"
		group = draw("by", "GROUP BY p", "GROUP BY p, c")
		where = draw("where", "", "WHERE p = 0", "WHERE p IN (0, 1, 2, 50)", "WHERE p = 1 AND c >= 100")
	case "count":
		columns = "count(*), sum(v)"
		where = draw("where", "", "WHERE p = 0")
	case "json":
		columns = "JSON p, c, v"
	case "functions":
		columns = "p AS q, c, token(p), writetime(v) AS w, toJson(x), cast(v AS text)"
		where = draw("where", "", "WHERE p = 1")
	case "where":
		where = draw("where", "WHERE p = 0", "WHERE p = 1 AND c >= 100", "WHERE p IN (0, 1, 2, 3, 50, 51, 60)", "WHERE p IN ?",
			"WHERE token(p) > ? AND token(p) <= ?", "WHERE v = 3 ALLOW FILTERING", "WHERE p = 0 AND x = 'even' ALLOW FILTERING",
			"WHERE p IN (0, 1) AND c IN (1, 2, 300, 5000)", "WHERE i = 2", "WHERE s = 7 ALLOW FILTERING", "WHERE x = 'no such' ALLOW FILTERING")
		if where == "WHERE p = 0" || where == "WHERE p = 1 AND c >= 100" {
			order = draw("order", "", "ORDER BY c DESC", "ORDER BY c ASC")
		}
		switch where {
		case "WHERE p IN ?":
			s.args = append(s.args, []int{5, 1, 0, 51, 70})
		case "WHERE token(p) > ? AND token(p) <= ?":
			s.args = append(s.args, int64(-1)<<62, int64(1)<<62)
		}
	}
	where, filtering := strings.CutSuffix(where, " ALLOW FILTERING")
	if filtering {
		filter = "ALLOW FILTERING"
	}
	perPartition, limit := "", ""
	if !strings.HasPrefix(columns, "DISTINCT") && columns != "count(*), sum(v)" && rapid.IntRange(0, 3).Draw(r, "per partition?") == 0 {
		perPartition = fmt.Sprint("PER PARTITION LIMIT ", rapid.SampledFrom([]int{1, 2, 99, 100, 101, 1000}).Draw(r, "per partition"))
	}
	n := rapid.SampledFrom(limits).Draw(r, "limit")
	switch draw("limit as", "none", "text", "text", "bound") {
	case "text":
		limit = fmt.Sprint("LIMIT ", n)
	case "bound":
		limit = "LIMIT ?"
		s.args = append(s.args, n)
	}
	s.cql = strings.Join(strings.Fields(strings.Join([]string{"SELECT", columns, "FROM", table, where, group, order, perPartition, limit, filter}, " ")), " ")
	return s
}

// fillForms makes a table of two large partitions, some hundred small ones and some of
// static columns alone: 12,800 rows.
func fillForms(t *testing.T, session *gocql.Session, table string) {
	t.Helper()
	exec(t, session, "CREATE TABLE %s (p int, c int, s int static, v int, x text, i int, PRIMARY KEY (p, c))", table)
	exec(t, session, "CREATE INDEX ON %s (i)", table)
	insert := "INSERT INTO " + table + " (p, c, v, x, i) VALUES (?, ?, ?, ?, ?)"
	write := func(p, n int) {
		for first := 0; first < n; first += 500 {
			b := session.NewBatch(gocql.UnloggedBatch)
			for c := first; c < min(n, first+500); c++ {
				b.Query(insert, p, c, c%7, []string{"even", "odd"}[c%2], c%5)
			}
			require.NoError(t, session.ExecuteBatch(b))
		}
	}
	write(0, 10_500)
	write(1, 1500)
	for p := 2; p < 202; p++ {
		write(p, 1+p%7)
	}
	for p := 2000; p < 2020; p++ {
		require.NoError(t, session.Query("INSERT INTO "+table+" (p, s) VALUES (?, ?)", p, p%9).Exec())
	}
}

func TestEveryFormOfStatementGivesTheRowsThatTheDriverGivesAlone(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fillForms(t, session, ks+".t")
	rapid.Check(t, func(r *rapid.T) {
		s := drawStatement(r, ks+".t")
		pages := rapid.SampledFrom([]int{37, 99, 100, 101, 1000, 5000, 10_000, 10_001, 20_000}).Draw(r, "PageRows")
		budget := rapid.SampledFrom([]int64{64 << 10, 1 << 20, 64 << 20}).Draw(r, "budget")
		want := alone(r, session, 5000, s.cql, s.args)
		stream := source.Query[rxcql.Row](session, s.cql, source.Bind(s.args...), source.PageRows(pages))

		var got []string
		_, err := stream.ForEach(t.Context(), func(row rxcql.Row) error { got = append(got, text(row)); return nil }, rxcql.WithBudget(budget))
		require.NoError(r, err, s.cql)
		require.Equal(r, want, got, s.cql)

		got = nil
		store := &jobtest.Store{}
		for runs := 0; ; runs++ {
			require.Less(r, runs, 100)
			after := 0
			if len(want) > 0 && runs < 4 {
				after = rapid.IntRange(1, len(want)).Draw(r, "rows until it is broken off")
			}
			rows, rep := stoppedAfter(r, stream, store, after, rapid.Bool().Draw(r, "by an error"), rxcql.WithBudget(budget))
			got = append(got[:rep.ResumedRows], rows...)
			if rep.Complete {
				break
			}
		}
		require.Equal(r, want, got, s.cql)
	})
}

// stoppedAfter runs a job until so many rows have come, and returns these and those
// that came until it had ended.
func stoppedAfter(t require.TestingT, in rxcql.Stream[rxcql.Row], store *jobtest.Store, after int, broken bool, opts ...rxcql.Option) (rows []string, rep rxcql.Report) {
	var mu sync.Mutex
	var p *rxcql.Pipeline
	p, err := rxcql.New(in, sink.Each(func(_ context.Context, row rxcql.Row) error {
		mu.Lock()
		defer mu.Unlock()
		rows = append(rows, text(row))
		if len(rows) == after {
			if broken {
				return errBroken
			}
			p.Stop()
		}
		return nil
	}, sink.Idempotent(), sink.InFlight(1)), append(opts, rxcql.WithCheckpoint(store, "job"))...)
	require.NoError(t, err)
	rep, err = p.Run(context.Background())
	if err != nil {
		require.ErrorIs(t, err, errBroken)
	}
	return rows, rep
}

func TestVirtualTablesAndIndexesGiveTheRowsThatTheDriverGivesAlone(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.t (k int PRIMARY KEY, place vector<float, 2>, v int, w text)", ks)
	exec(t, session, "CREATE INDEX ON %s.t (place) USING 'sai'", ks)
	exec(t, session, "CREATE INDEX ON %s.t (v) USING 'sai'", ks)
	for k := range 1200 {
		exec(t, session, "INSERT INTO %s.t (k, place, v, w) VALUES (%d, [%d, 1], %d, 'w')", ks, k, k, k%2)
	}
	for _, cql := range []string{
		"SELECT name, value FROM system_views.settings", "SELECT name FROM system_views.settings WHERE name = 'cluster_name'",
		"SELECT keyspace_name, table_name, column_name FROM system_schema.columns WHERE keyspace_name = 'system_schema'",
		"SELECT k FROM " + ks + ".t WHERE v = 1", "SELECT k, w FROM " + ks + ".t WHERE v IN (0, 1) ALLOW FILTERING",
		"SELECT k FROM " + ks + ".t WHERE v >= 0 AND w = 'w' ALLOW FILTERING",
		"SELECT k FROM " + ks + ".t ORDER BY place ANN OF [1, 1]", "SELECT k FROM " + ks + ".t WHERE v = 1 ORDER BY place ANN OF [1, 1]",
	} {
		for _, limit := range []int{0, 1, 50, 100, 101, 150, 599, 600, 601, 1000, 2000} {
			cql := cql
			if near := strings.Contains(cql, "ANN"); limit > 0 && (!near || limit <= 1000) {
				cql += fmt.Sprint(" LIMIT ", limit)
				if head, filtering := strings.CutSuffix(cql, fmt.Sprint(" ALLOW FILTERING LIMIT ", limit)); filtering {
					cql = head + fmt.Sprint(" LIMIT ", limit, " ALLOW FILTERING")
				}
			} else if near {
				continue // the server wants a LIMIT, of 1,000 at most
			}
			want := alone(t, session, 5000, cql, nil)
			for _, pages := range []int{40, 100, 10_000} {
				var got []string
				_, err := source.Query[rxcql.Row](session, cql, source.PageRows(pages)).ForEach(t.Context(),
					func(row rxcql.Row) error { got = append(got, text(row)); return nil })
				require.NoError(t, err, cql)
				if !slices.Equal(want, got) { // ANN is approximate: the answer is another one when a flush has made the index anew
					want = alone(t, session, 5000, cql, nil)
				}
				require.Equal(t, want, got, "%s, PageRows(%d)", cql, pages)
			}
		}
	}
}
