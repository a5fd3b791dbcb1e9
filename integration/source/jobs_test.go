package source_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// brokenOff runs a job that fails after so many rows; with 0 to its end.
func brokenOff(t *testing.T, in rxcql.Stream[int32], store *jobtest.Store, after int) (rep rxcql.Report, err error) {
	t.Helper()
	n := 0
	p, err := rxcql.New(in, sink.Each(func(context.Context, int32) error {
		if n++; n == after {
			return errBroken
		}
		return nil
	}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"))
	require.NoError(t, err)
	return p.Run(context.Background())
}

var errBroken = errors.New("broken on purpose")

func TestAJobGoesOnWithTheSameTableAndBoundValuesOnly(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill := func() {
		exec(t, session, "CREATE TABLE %s.t (p int, c int, v int, PRIMARY KEY (p, c))", ks)
		for c := range 1000 {
			exec(t, session, "INSERT INTO %s.t (p, c, v) VALUES (%d, %d, %d)", ks, c%2, c, c)
		}
	}
	fill()
	pages := source.PageRows(50)
	query := func(p int) rxcql.Stream[int32] {
		return source.Query[int32](session, "SELECT v FROM "+ks+".t WHERE p = ?", source.Bind(p), pages)
	}
	table := func(columns ...string) rxcql.Stream[int32] {
		return source.Table[int32](session, ks+".t", source.Columns(columns...), pages)
	}
	queries, tables := &jobtest.Store{}, &jobtest.Store{}
	_, err := brokenOff(t, query(1), queries, 300)
	require.ErrorIs(t, err, errBroken)
	_, err = brokenOff(t, table("v"), tables, 300)
	require.ErrorIs(t, err, errBroken)

	_, err = brokenOff(t, query(0), queries, 0)
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, "hash of the bound values")
	_, err = brokenOff(t, table("c"), tables, 0)
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, "statement was")

	copied := &jobtest.Store{}
	copied.Put("job", queries.Get("job"))
	rep, err := brokenOff(t, query(1), copied, 0)
	require.NoError(t, err)
	require.EqualValues(t, 250, rep.ResumedRows)
	require.EqualValues(t, 250, rep.ReadRows)

	exec(t, session, "DROP TABLE %s.t", ks)
	fill()
	for in, store := range map[*rxcql.Stream[int32]]*jobtest.Store{ptr(query(1)): queries, ptr(table("v")): tables} {
		_, err = brokenOff(t, *in, store, 0)
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
		require.ErrorContains(t, err, "table id")
	}
}

func ptr[T any](v T) *T { return &v }
