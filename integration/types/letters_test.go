package types_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestRowsOfEveryTypeComeBackFromLettersByteForByte(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	rows := createTables(t, session, ks, "original", "from_file", "from_table")
	want := contents(t, session, ks+".original")
	all := operators.Tap(source.Table[rxcql.Row](session, ks+".original"), func(rxcql.Row) error { return errors.New("all fail") })
	file := filepath.Join(t.TempDir(), "letters")
	require.NoError(t, deadletter.CreateTable(context.Background(), session, ks+".letters"))
	for _, store := range []rxcql.DeadLetterStore{deadletter.NDJSON(file), deadletter.Table(session, ks+".letters")} {
		rep, err := all.ForEach(context.Background(), func(rxcql.Row) error { return nil }, rxcql.WithRowErrors(rxcql.DeadLetter(store)))
		require.NoError(t, err)
		require.EqualValues(t, rows, rep.DeadLettered)
		require.True(t, rep.Complete)
	}
	for table, in := range map[string]rxcql.Stream[rxcql.Row]{
		"from_file": operators.Map(source.Seq(deadletter.Read[rxcql.Row](file)),
			func(l deadletter.Letter[rxcql.Row]) (rxcql.Row, error) { return l.Row, nil }),
		"from_table": operators.Map(source.Table[deadletter.Record](session, ks+".letters"), func(r deadletter.Record) (rxcql.Row, error) {
			l, err := deadletter.Decode[rxcql.Row](r)
			return l.Row, err
		}),
	} {
		p, err := rxcql.New(in, sink.Table[rxcql.Row](session, ks+"."+table))
		require.NoError(t, err)
		_, err = p.Run(context.Background())
		require.NoError(t, err)
		require.Equal(t, want, contents(t, session, ks+"."+table))
	}
}
