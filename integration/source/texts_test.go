package source_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestWhatCheckFindsIsNamedByItsStageAndSaysWhatMayBeMeant(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for _, table := range []string{"here", "there"} {
		require.NoError(t, session.Query("CREATE TABLE "+table+" (id int PRIMARY KEY, route text)").Exec())
	}
	type row struct {
		ID    int    `cql:"id"`
		Route string `cql:"rout"`
	}
	p, err := rxcql.New(source.Table[row](session, ks+".here"), sink.Tee(sink.Table[row](session, ks+".there"),
		sink.Exec(session, "INSERT INTO "+ks+".nowhere (id) VALUES (?)", func(r row) ([]any, error) { return []any{r.ID}, nil })))
	require.NoError(t, err)
	err = p.Check(context.Background())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, "Table "+ks+".here: ")
	require.ErrorContains(t, err, `it has no column "rout"; did you mean route?; it has id, route`)
	require.ErrorContains(t, err, "sink.Table "+ks+".there: ")
	require.ErrorContains(t, err, "sink.Exec: ")

	type worse struct {
		ID    []int  `cql:"id"`
		Route []int  `cql:"route"`
		Rout  string `cql:"rout"`
		Ruote string `cql:"ruote"`
	}
	_, err = source.Table[worse](session, ks+".here").Collect(context.Background())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	for _, part := range []string{`column "id" (int) and field ID ([]int)`, `column "route" (text) and field Route ([]int)`, `no column "rout"`, `no column "ruote"`} {
		require.ErrorContains(t, err, part, "all at once")
	}

	_, err = rxcql.New(source.Table[any](session, ks+".here"), sink.Table[any](session, ks+".there"))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.NotContains(t, err.Error(), "<nil>")
	require.ErrorContains(t, err, "rxcql.Row")
	_, err = source.Query[map[string]any](session, "SELECT id, route FROM "+ks+".here").Collect(context.Background())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, "use a struct with cql tags, rxcql.Row,")
}
