package source_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestARowThatFailsAnywhereIsNamedByItsTokenRange(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.t (k int PRIMARY KEY)", ks)
	for k := range 500 {
		require.NoError(t, session.Query("INSERT INTO t (k) VALUES (?)", k).Exec())
	}
	var token int64
	require.NoError(t, session.Query("SELECT token(k) FROM t WHERE k = 77").Scan(&token))

	bad := errors.New("bad")
	judge := func(k int) (int, error) {
		if k == 77 {
			return 0, bad
		}
		return k, nil
	}
	table := source.Table[int](session, ks+".t", source.Columns("k"), source.Splits(32))
	kept := operators.Filter(table, func(k int) bool { return k%7 == 0 })
	nothing := sink.Each(func(context.Context, int) error { return nil })
	for name, run := range map[string]func() error{
		"operator": func() error { return second(operators.Map(kept, judge).Count(t.Context())) },
		"concurrent": func() error {
			slow := func(_ context.Context, k int) (int, error) { return judge(k) }
			return second(operators.MapConcurrent(kept, 8, slow).Count(t.Context()))
		},
		"sink": func() error {
			p, err := rxcql.New(kept, sink.Tee(nothing, sink.Each(func(_ context.Context, k int) error { return second(judge(k)) })))
			require.NoError(t, err)
			return second(p.Run(t.Context()))
		},
	} {
		err := run()
		require.ErrorIs(t, err, bad, name)
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row, name)
		var start, end int64
		_, scanErr := fmt.Sscanf(row.Range, "(%d, %d]", &start, &end)
		require.NoError(t, scanErr, "%s: %s", name, row.Range)
		require.True(t, start < token && token <= end, "%s: %d is not in %s", name, token, row.Range)
		require.Less(t, float64(end)-float64(start), 1e18, "one of 32")
	}
}

func second[T any](_ T, err error) error { return err }
