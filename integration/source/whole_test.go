package source_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestWhatTheServerCannotPageComesWholeAsTheDriverAloneGivesIt(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fillForms(t, session, ks+".t")
	for _, s := range []statement{
		{"SELECT p, c, v FROM " + ks + ".t WHERE p IN (0, 1, 5) ORDER BY c", nil},
		{"SELECT p, c, v FROM " + ks + ".t WHERE p IN ? ORDER BY c DESC", []any{[]int{1, 0, 60}}},
		{"SELECT p, c FROM " + ks + ".t WHERE p IN (0, 1, 5) ORDER BY c LIMIT 11000", nil},
		{"SELECT p, c FROM " + ks + ".t WHERE p IN (0, 1) ORDER BY c LIMIT 101", nil},
		{"SELECT p, c FROM " + ks + ".t WHERE p IN (0, 1) ORDER BY c LIMIT ?", []any{5}},
		{"SELECT p, c FROM " + ks + ".t WHERE p IN (0, 1, 2) ORDER BY c DESC PER PARTITION LIMIT 3", nil},
		{"SELECT p, count(*) FROM " + ks + ".t WHERE p IN (0, 1, 2) GROUP BY p ORDER BY c", nil},
		{"SELECT JSON * FROM " + ks + ".t WHERE p IN (0, 1) ORDER BY c", nil},
		{"SELECT p, c FROM " + ks + ".t WHERE p IN (300, 301) ORDER BY c", nil},
	} {
		want := alone(t, session, 0, s.cql, s.args)
		stream := source.Query[rxcql.Row](session, s.cql, source.Bind(s.args...))
		require.NoError(t, stream.Check(t.Context()))
		var got []string
		rep, err := stream.ForEach(t.Context(), func(row rxcql.Row) error { got = append(got, text(row)); return nil })
		require.NoError(t, err, s.cql)
		require.Equal(t, want, got, s.cql)
		require.EqualValues(t, 1, rep.Pages)

		store := &jobtest.Store{}
		_, broken := stoppedAfter(t, stream, store, max(1, len(want)/2), true)
		got, rep = stoppedAfter(t, stream, store, 0, false)
		if broken.Complete { // there was no such row
			require.Empty(t, want)
		}
		require.Equal(t, want, got, s.cql)
		require.True(t, rep.Complete)
	}

	stream := source.Query[rxcql.Row](session, "SELECT p, c, v, x FROM "+ks+".t WHERE p IN (0, 1) ORDER BY c")
	_, err := stream.Count(t.Context(), rxcql.WithBudget(rxcql.MinBudgetPerInput))
	require.ErrorContains(t, err, "raise rxcql.WithBudget")
	first, err := operators.Take(stream, 3).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, first, 3)
}
