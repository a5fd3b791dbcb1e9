package sink_test

import (
	"context"
	"flag"
	"fmt"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

var copyRows = flag.Int("copy.rows", 15_000, "rows of the tables that the copy test copies")

type copied struct {
	P int64   `cql:"p"`
	C int32   `cql:"c"`
	A string  `cql:"a"`
	B int64   `cql:"b"`
	D float64 `cql:"d"`
}

func run[T any](t testing.TB, in rxcql.Stream[T], out rxcql.Sink[T], opts ...rxcql.Option) rxcql.Report {
	t.Helper()
	p, err := rxcql.New(in, out, opts...)
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.True(t, rep.Complete)
	return rep
}

// partitions gives rows in partitions of size(p) rows.
func partitions(rows int, size func(p int) int) rxcql.Stream[copied] {
	return source.Seq(func(yield func(copied, error) bool) {
		p, c := 0, 0
		for i := range rows {
			if c == size(p) {
				p, c = p+1, 0
			}
			if !yield(copied{int64(p), int32(c), fmt.Sprint("text of row ", i), int64(i), float64(i) / 3}, nil) {
				return
			}
			c++
		}
	})
}

func TestACopyHasEveryRowAsItWas(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create := func(name string) string {
		require.NoError(t, session.Query("CREATE TABLE "+name+" (p bigint, c int, a text, b bigint, d double, PRIMARY KEY (p, c))").Exec())
		return ks + "." + name
	}
	for name, size := range map[string]func(int) int{
		"even":   func(int) int { return 100 },
		"uneven": func(p int) int { return 1 + p*37%150 }, // batches of every size, some partitions in two
	} {
		t.Run(name, func(t *testing.T) {
			original := create(name)
			run(t, partitions(*copyRows, size), sink.Table[copied](session, original))
			want := contents(t, session, original)
			require.Len(t, want, *copyRows)

			raw := create(name + "_raw")
			run(t, source.Table[rxcql.Row](session, original), sink.Table[rxcql.Row](session, raw))
			require.Equal(t, want, contents(t, session, raw))

			structs := create(name + "_structs")
			run(t, source.Table[copied](session, original), sink.Table[copied](session, structs))
			require.Equal(t, want, contents(t, session, structs))
		})
	}
}

// contents reads a table with the driver alone, by b, which is the row's number.
func contents(t *testing.T, session *gocql.Session, table string) map[int64]copied {
	all := map[int64]copied{}
	iter := session.Query("SELECT p, c, a, b, d FROM " + table).Iter()
	var row copied
	for iter.Scan(&row.P, &row.C, &row.A, &row.B, &row.D) {
		all[row.B] = row
	}
	require.NoError(t, iter.Close())
	return all
}
