package faults_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/source"
)

const scannedRows = 20_000

// scanned makes a table to be changed while it is read.
func scanned(t *testing.T) (session *gocql.Session, table string) {
	t.Helper()
	session, ks := cassandra.Keyspace(t, cluster)
	require.NoError(t, session.Query("CREATE TABLE scanned (p int, c int, v text, w text, PRIMARY KEY (p, c))").Exec())
	for p := range scannedRows / 100 {
		b := session.NewBatch(gocql.UnloggedBatch)
		for c := range 100 {
			b.Query("INSERT INTO scanned (p, c, v, w) VALUES (?, ?, ?, ?)", p, c, fmt.Sprint("v", p, c), "w")
		}
		require.NoError(t, session.ExecuteBatch(b))
	}
	return session, ks + ".scanned"
}

// scan reads a stream and changes the table in the middle of that. It returns the
// rows read, of which none may come twice.
func scan[T any](t *testing.T, in rxcql.Stream[T], key func(T) string, change func() error) (rows int, err error) {
	t.Helper()
	seen := map[string]bool{}
	_, err = in.ForEach(context.Background(), func(row T) error {
		if seen[key(row)] {
			return fmt.Errorf("row %s came twice", key(row))
		}
		seen[key(row)] = true
		if len(seen) == scannedRows/4 {
			return change()
		}
		return nil
	}, rxcql.WithWorkers(3))
	return len(seen), err
}

type scannedRow struct {
	P int    `cql:"p"`
	C int    `cql:"c"`
	V string `cql:"v"`
}

func (r scannedRow) key() string { return fmt.Sprint(r.P, "/", r.C) }

func rowKey(r rxcql.Row) string { return fmt.Sprintf("%x", r.Bytes(0)) + fmt.Sprintf("%x", r.Bytes(1)) }

func TestFaultsATableAlteredWhileItIsRead(t *testing.T) {
	pages := source.PageRows(100)
	alter := func(session *gocql.Session, table, how string) func() error {
		return func() error { return session.Query("ALTER TABLE " + table + " " + how).Exec() }
	}
	t.Run("a column more", func(t *testing.T) {
		session, table := scanned(t)
		rows, err := scan(t, source.Table[scannedRow](session, table, pages), scannedRow.key, alter(session, table, "ADD x int"))
		require.NoError(t, err)
		require.Equal(t, scannedRows, rows)
		rows, err = scan(t, source.Table[rxcql.Row](session, table, pages), rowKey, alter(session, table, "ADD y int"))
		require.NoError(t, err)
		require.Equal(t, scannedRows, rows)
	})
	t.Run("a column less that is not read", func(t *testing.T) {
		session, table := scanned(t)
		rows, err := scan(t, source.Table[scannedRow](session, table, pages), scannedRow.key, alter(session, table, "DROP w"))
		require.NoError(t, err)
		require.Equal(t, scannedRows, rows)
	})
	t.Run("a column less that is read", func(t *testing.T) {
		session, table := scanned(t)
		rows, err := scan(t, source.Table[scannedRow](session, table, pages), scannedRow.key, alter(session, table, "DROP v"))
		require.Error(t, err)
		require.Less(t, rows, scannedRows)
		var at *rxcql.RowError
		require.ErrorAs(t, err, &at)
		require.ErrorContains(t, err, "range (")
		t.Log(err)
	})
}

func TestFaultsATableDroppedWhileItIsRead(t *testing.T) {
	for name, again := range map[string]string{
		"for good":       "",
		"and made again": "CREATE TABLE %s (p int, c int, v text, w text, PRIMARY KEY (p, c))",
	} {
		t.Run(name, func(t *testing.T) {
			session, table := scanned(t)
			rows, err := scan(t, source.Table[scannedRow](session, table, source.PageRows(100)), scannedRow.key, func() error {
				if err := session.Query("DROP TABLE " + table).Exec(); err != nil || again == "" {
					return err
				}
				return session.Query(fmt.Sprintf(again, table)).Exec()
			})
			require.Error(t, err)
			require.Less(t, rows, scannedRows)
			t.Log(err)
		})
	}
}
