package operators_test

import (
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type customer struct {
	ID   int              `cql:"id"`
	Name sql.Null[string] `cql:"name"`
}

const customers = 1000 // those that 10 divides are missing, of others those that 7 divides have no name

func run(t *testing.T, session *gocql.Session, statements ...string) {
	t.Helper()
	for _, cql := range statements {
		require.NoError(t, session.Query(cql).Exec(), cql)
	}
}

// shop makes a keyspace with its customers.
func shop(t *testing.T, opts ...cassandra.KeyspaceOption) *gocql.Session {
	t.Helper()
	session, ks := cassandra.Keyspace(t, cluster, opts...)
	fill(t, session, ks)
	return session
}

func fill(t *testing.T, session *gocql.Session, ks string) {
	t.Helper()
	run(t, session, "CREATE TABLE customers (id int PRIMARY KEY, name text)")
	there := operators.Filter(numbers(customers), func(n int) bool { return n%10 > 0 })
	rows := operators.Map(there, func(n int) (customer, error) {
		return customer{ID: n, Name: sql.Null[string]{V: fmt.Sprint("no. ", n), Valid: n%7 > 0}}, nil
	})
	_, err := rxcql.Run(t.Context(), rows, sink.Table[customer](session, ks+".customers"))
	require.NoError(t, err)
}

// numbers are 0 to n-1, from a source that can be part of a job.
func numbers(n int) rxcql.Stream[int] {
	return source.SeqFrom("numbers", func(from int64) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for i := int(from); i < n && yield(i, nil); i++ {
			}
		}
	})
}

func named(n int, found operators.Found[customer]) (string, error) {
	switch {
	case !found.OK:
		return fmt.Sprint(n, " missing"), nil
	case found.Row.ID != n%customers:
		return "", errors.New("of another customer")
	case !found.Row.Name.Valid:
		return fmt.Sprint(n, " null"), nil
	}
	return fmt.Sprint(n, " ", found.Row.Name.V), nil
}

func wantNamed(n int) string {
	switch id := n % customers; {
	case id%10 == 0:
		return fmt.Sprint(n, " missing")
	case id%7 == 0:
		return fmt.Sprint(n, " null")
	default:
		return fmt.Sprint(n, " no. ", id)
	}
}

func wantAll(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = wantNamed(i)
	}
	return all
}

func byID(n int) ([]any, error) { return []any{n % customers}, nil }

func names(in rxcql.Stream[int], session *gocql.Session, opts ...operators.LookupOption) rxcql.Stream[string] {
	return operators.Lookup(in, session, "SELECT id, name FROM customers WHERE id = ?", byID, named, opts...)
}
