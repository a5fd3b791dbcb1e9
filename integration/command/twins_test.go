package command_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/transfer"
)

// Of each hundred rows, these are other ones at the target.
const (
	isMissing = 3  // was never written there
	isOlder   = 50 // was written earlier
	isNewer   = 97 // was written later
)

// twins makes a table and its copy, in which some rows are missing, older and newer, and returns
// the causes that a diff finds, by the key.
func twins(t *testing.T, session *gocql.Session, source, target string, n int) map[string]transfer.Cause {
	t.Helper()
	const at, second = 1_700_000_000_000_000, 1_000_000 // more than the tolerance of a diff
	want := map[string]transfer.Cause{}
	for _, table := range []string{source, target} {
		require.NoError(t, session.Query("CREATE TABLE "+table+" (p bigint, c int, a text, b bigint, PRIMARY KEY (p, c))").Exec())
		for p := range n / 100 {
			b := session.NewBatch(gocql.UnloggedBatch)
			for c := range 100 {
				text, written := "row", at+int64(c)
				switch kind := c % 20; {
				case table == source:
				case kind == isMissing:
					want[key(p, c)] = transfer.Missing
					continue
				case c == isOlder:
					text, written, want[key(p, c)] = "older", written-second, transfer.Differing
				case c == isNewer:
					text, written, want[key(p, c)] = "newer", written+second, transfer.Newer
				}
				b.Query("INSERT INTO "+table+" (p, c, a, b) VALUES (?, ?, ?, ?) USING TIMESTAMP ?", int64(p), c, text, int64(c), written)
			}
			require.NoError(t, session.ExecuteBatch(b))
		}
	}
	return want
}

func key(p, c int) string { return fmt.Sprintf("%d/%d", p, c) }

// keyOf is the key of a row that a diff has found.
func keyOf(t *testing.T, d transfer.Difference) string {
	t.Helper()
	var k struct{ P, C int }
	require.NoError(t, json.Unmarshal(d.Key, &k))
	return key(k.P, k.C)
}

// differing reads what a diff has found in a table. Each row is there once.
func differing(t *testing.T, folder, table string) map[string]transfer.Cause {
	t.Helper()
	all, err := transfer.Differences(filepath.Join(folder, table)).Collect(t.Context())
	require.NoError(t, err)
	got := map[string]transfer.Cause{}
	for _, d := range all {
		require.NotContains(t, got, keyOf(t, d), "a row is named once")
		got[keyOf(t, d)] = d.Cause
	}
	return got
}

// timed reads the rows of a table that fill or twins made, with their write times, by plain CQL.
func timed(t *testing.T, session *gocql.Session, table string) map[string]string {
	t.Helper()
	all := map[string]string{}
	iter := session.Query("SELECT p, c, a, b, WRITETIME(a), WRITETIME(b) FROM " + table).Iter()
	var p, c int
	var a string
	var b, writtenA, writtenB int64
	for iter.Scan(&p, &c, &a, &b, &writtenA, &writtenB) {
		all[key(p, c)] = fmt.Sprintf("%s %d at %d %d", a, b, writtenA, writtenB)
	}
	require.NoError(t, iter.Close())
	return all
}
