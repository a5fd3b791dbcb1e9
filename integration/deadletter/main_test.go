package deadletter_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) { cassandra.Main(m, &cluster) }

// note is a row of the tables: of some, v is too long for the key of the first
// target.
type note struct {
	P int64   `cql:"p"`
	C int32   `cql:"c"`
	V *string `cql:"v"`
	B []byte  `cql:"b"`
}

const (
	right  = "(p bigint, c int, v text, b blob, PRIMARY KEY (p, c))"
	strict = "(p bigint, c int, v text, b blob, PRIMARY KEY (p, c, v))" // v is of the key: at most 65,535 bytes, and not null

	canary = "s3cret"
)

func create(t *testing.T, session *gocql.Session, cql ...string) {
	t.Helper()
	for _, c := range cql {
		require.NoError(t, session.Query(c).Exec())
	}
}

// bad tells the rows that the strict table does not take.
func bad(i int) bool { return i%10 == 3 || i%10 == 7 }

// original makes a table of so many rows, one in five of which the strict table
// does not take, and returns it with the strict one and one like itself.
func original(t *testing.T, rows int) (session *gocql.Session, from, to, corrected string) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE original "+right, "CREATE TABLE strict "+strict, "CREATE TABLE corrected "+right)
	for i := range rows {
		v := fmt.Sprint("text ", i)
		switch i % 10 {
		case 3:
			require.NoError(t, session.Query("INSERT INTO original (p, c, b) VALUES (?, ?, ?)", i/7, i, []byte{}).Exec())
			continue
		case 7:
			v = canary + strings.Repeat("x", 70_000)
		}
		require.NoError(t, session.Query("INSERT INTO original (p, c, v, b) VALUES (?, ?, ?, ?)", i/7, i, v, []byte{0, 255, byte(i)}).Exec())
	}
	return session, ks + ".original", ks + ".strict", ks + ".corrected"
}

// copied runs a copy.
func copied[T any](in rxcql.Stream[T], to rxcql.Sink[T], opts ...rxcql.Option) (rxcql.Report, error) {
	p, err := rxcql.New(in, to, opts...)
	if err != nil {
		return rxcql.Report{}, err
	}
	return p.Run(context.Background())
}

// contents are the rows of a table, as bytes by column, told apart from null.
func contents(t *testing.T, session *gocql.Session, table string) (rows []string) {
	t.Helper()
	_, err := source.Table[rxcql.Row](session, table, source.Columns("p", "c", "v", "b")).ForEach(context.Background(), func(r rxcql.Row) error {
		var cells []string
		for i, c := range r.Columns().List() {
			cells = append(cells, fmt.Sprintf("%s=%v %x", c.Name, r.Bytes(i) == nil, r.Bytes(i)))
		}
		rows = append(rows, strings.Join(cells, " "))
		return nil
	})
	require.NoError(t, err)
	return rows
}

func lettersFile(t *testing.T) string { return filepath.Join(t.TempDir(), "letters.ndjson") }

// rowsIn are the rows of letters in a file.
func rowsIn[T any](path string) rxcql.Stream[T] {
	return operators.Map(source.Seq(deadletter.Read[T](path)), func(l deadletter.Letter[T]) (T, error) { return l.Row, nil })
}

// rowsOf are the rows of letters in a table.
func rowsOf[T any](session *gocql.Session, table string) rxcql.Stream[T] {
	return operators.Map(source.Table[deadletter.Record](session, table), func(r deadletter.Record) (T, error) {
		l, err := deadletter.Decode[T](r)
		return l.Row, err
	})
}
