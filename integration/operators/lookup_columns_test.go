package operators_test

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
)

// The new column comes before the name in what a * stands for: read by the old description a name
// would be an age.
func TestLookupsGoOnWhenTheirTableGetsAColumnWhoeverPreparesTheirStatementFirst(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks)
	cfg := cluster.Config()
	cfg.Keyspace = ks
	other, err := cfg.CreateSession()
	require.NoError(t, err)
	defer other.Close()

	const rows = 3000
	want := wantAll(rows)
	var altered sync.Once
	alter := func(n int) (err error) {
		if n == rows/3 {
			altered.Do(func() { err = session.Query("ALTER TABLE customers ADD age int").Exec() })
		}
		return err
	}
	ofRow := func(n int, found operators.Found[rxcql.Row]) (string, error) {
		var c customer
		if found.OK {
			id, _ := found.Row.Lookup("id")
			name, _ := found.Row.Lookup("name")
			age, _ := found.Row.Lookup("age")
			if age != nil {
				return "", fmt.Errorf("an age of %d bytes, and nobody has one", len(age))
			}
			c = customer{ID: int(binary.BigEndian.Uint32(id)), Name: sql.Null[string]{V: string(name), Valid: name != nil}}
		}
		return named(n, operators.Found[customer]{OK: found.OK, Row: c})
	}
	var group errgroup.Group
	for _, s := range []*gocql.Session{session, other} {
		for cql, lookup := range map[string]func(in rxcql.Stream[int]) rxcql.Stream[string]{
			"all columns": func(in rxcql.Stream[int]) rxcql.Stream[string] {
				return operators.Lookup(in, s, "SELECT * FROM customers WHERE id = ?", byID, ofRow)
			},
			"some": func(in rxcql.Stream[int]) rxcql.Stream[string] { return names(in, s) },
		} {
			group.Go(func() error {
				got, err := lookup(operators.Tap(numbers(rows), alter)).Collect(t.Context())
				if err == nil && !slices.Equal(got, want) {
					err = errors.New("not what the rows are")
				}
				if err != nil {
					return fmt.Errorf("%s: %w", cql, err)
				}
				return nil
			})
		}
	}
	require.NoError(t, group.Wait())
}
