package source_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestATableIsAsFarAsTheRingHasBeenGiven(t *testing.T) {
	const rows = 2000
	session, ks := cassandra.Keyspace(t, cluster)
	require.NoError(t, session.Query("CREATE TABLE t (k bigint PRIMARY KEY)").Exec())
	numbers := func(yield func(int64, error) bool) {
		for k := range int64(rows) {
			if !yield(k, nil) {
				return
			}
		}
	}
	_, err := rxcql.Run(t.Context(), source.Seq(numbers), sink.Table[int64](session, ks+".t", sink.Columns("k")))
	require.NoError(t, err)

	store := &jobtest.Store{}
	read := func(stopAfter int) (all []rxcql.Estimate, rep rxcql.Report) {
		var p *rxcql.Pipeline
		in := source.Table[int64](session, ks+".t", source.Columns("k"), source.Splits(64), source.PageRows(10))
		p, err := rxcql.New(in, sink.Each(func(context.Context, int64) error {
			if all = append(all, p.Progress().Estimate); len(all) == stopAfter {
				p.Stop()
			}
			return nil
		}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"), rxcql.WithWorkers(2))
		require.NoError(t, err)
		rep, err = p.Run(t.Context())
		require.NoError(t, err)
		return all, rep
	}
	first, rep := read(rows / 2)
	second, last := read(0)
	require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
	require.Equal(t, rxcql.Estimate{Known: true, Fraction: 1, Rows: rows, LeftKnown: true}, last.Estimate)
	require.True(t, first[0].Known)
	require.Less(t, first[0].Fraction, 0.05)
	require.InDelta(t, rep.Estimate.Fraction, second[0].Fraction, 0.05, "what the run before gave is done, up to ranges that were begun")

	for i, e := range append(first, second...) {
		row := i
		if i >= len(first) {
			row = int(last.ResumedRows) + i - len(first)
		}
		require.InDelta(t, float64(row)/rows, e.Fraction, 0.1, "row %d", row)
		if row > rows/4 {
			require.InEpsilon(t, rows, e.Rows, 0.25, "row %d", row)
		}
	}
}
