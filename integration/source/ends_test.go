package source_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestAnOperatorThatEndsTheStreamWhilePagesAreReadAheadIsNoErrorAndLosesNoByte(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", 50_000)
	table := func() rxcql.Stream[cell] { return source.Table[cell](session, ks+".t", source.PageRows(500)) }
	even := func(c cell) bool { return c.V%2 == 0 }
	for name, stream := range map[string]rxcql.Stream[cell]{
		"Take behind Filter":        operators.Take(operators.Filter(table(), even), 10),
		"Take of many":              operators.Take(table(), 5001),
		"TakeWhile":                 operators.TakeWhile(table(), func(c cell) bool { return c.V != 7777 }),
		"Take behind Merge":         operators.Take(operators.Merge(table(), table()), 20_000),
		"Take behind MapConcurrent": operators.Take(operators.Filter(operators.MapConcurrent(table(), 8, same), even), 500),
		"Take of a query's pages":   operators.Take(operators.Filter(source.Query[cell](session, "SELECT pk, ck, v FROM "+ks+".t"), even), 100),
	} {
		t.Run(name, func(t *testing.T) {
			for range 60 {
				p, err := rxcql.New(stream, sink.Each(func(context.Context, cell) error { return nil }))
				require.NoError(t, err)
				report, err := p.Run(context.Background())
				require.NoError(t, err)
				require.NotEmpty(t, report.EndedBy)
				require.Zero(t, report.BytesInFlight)
				require.Equal(t, report.Pages, report.PagesSettled)
			}
		})
	}
}

func same(_ context.Context, c cell) (cell, error) { return c, nil }

func TestATableMadeAnewInMidScanIsAnError(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", 40_000)
	n := 0
	_, err := source.Table[cell](session, ks+".t", source.PageRows(200)).ForEach(t.Context(), func(cell) error {
		if n++; n == 1000 {
			exec(t, session, "DROP TABLE %s.t", ks)
			exec(t, session, "CREATE TABLE %s.t (pk int, ck int, v bigint, PRIMARY KEY (pk, ck))", ks)
		}
		return nil
	}, rxcql.WithWorkers(1))
	require.Error(t, err)
}
