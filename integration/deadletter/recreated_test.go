package deadletter_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestATableOfLettersThatIsMadeAgainEndsTheRun(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	table := ks + ".letters"
	type row struct {
		ID int `cql:"id"`
	}
	for name, again := range map[string]func(){
		"with the same columns": func() { require.NoError(t, deadletter.CreateTable(t.Context(), session, table)) },
		"with other columns": func() {
			create(t, session, "CREATE TABLE "+table+` (run blob, part int, n bigint, v int, time timestamp, stage text, error blob, range text,
				page bigint, row_index int, type text, "row" blob, PRIMARY KEY ((run, part), n))`)
		},
	} {
		for _, at := range []int{50, 100} { // in the middle; after the last row
			create(t, session, "DROP TABLE IF EXISTS "+table)
			require.NoError(t, deadletter.CreateTable(t.Context(), session, table))
			var p *rxcql.Pipeline
			in := source.Seq(func(yield func(row, error) bool) {
				for i := range 101 {
					if i == at {
						for p.Progress().DeadLettered < int64(at) {
							time.Sleep(time.Millisecond)
						}
						create(t, session, "DROP TABLE "+table)
						again()
					}
					if i < 100 && !yield(row{i}, nil) {
						return
					}
				}
			}, source.PageRows(1))
			var err error
			p, err = rxcql.New(in, sink.Each(func(context.Context, row) error { return errors.New("bad") }),
				rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.Table(session, table))))
			require.NoError(t, err)
			rep, err := p.Run(t.Context())
			require.ErrorIs(t, err, rxcql.ErrSchema, "%s at %d", name, at)
			require.ErrorContains(t, err, "deadletter.Table")
			require.False(t, rep.Complete)
			var n int
			require.NoError(t, session.Query("SELECT count(*) FROM "+table).Scan(&n))
			// Those that were on their way while one of them had the statement prepared again
			// may have been taken: no more than are written at once.
			require.LessOrEqual(t, n, 32, "%s at %d", name, at)
		}
	}
}

func TestATableThatLettersDoNotFitIsRefusedByCheck(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE "+ks+`.letters (run int, part int, n bigint, v int, time timestamp, stage text, error text, range text,
		page bigint, row_index int, type text, "row" text, PRIMARY KEY ((run, part), n))`)
	err := deadletter.Table(session, ks+".letters").Check(t.Context())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, "make the table with deadletter.CreateTable")
	err = deadletter.Table(session, ks+".missing").Check(t.Context())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, "make the table with deadletter.CreateTable")
}
