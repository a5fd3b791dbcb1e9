package splits_test

import (
	"bufio"
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// among makes a table of 30 small partitions and of one, 7, with 600 rows before, between and
// behind tombstones that are too many for one page, in either of two values of its first clustering
// column. It returns how many rows there are.
func among(t *testing.T, session *gocql.Session, name string) (rows int64) {
	t.Helper()
	exec(t, session, "CREATE TABLE %s (k int, a text, c int, s int STATIC, v int, PRIMARY KEY (k, a, c)) WITH CLUSTERING ORDER BY (a ASC, c DESC)", name)
	for k := range 30 {
		exec(t, session, "UPDATE %s SET s = %d WHERE k = %d", name, k, k)
		for c := range k % 4 {
			exec(t, session, "INSERT INTO %s (k, a, c, v) VALUES (%d, 'x', %d, %d)", name, k, c, c)
			rows++
		}
	}
	const each1 = 2*allowed + 300
	for _, a := range []string{"one", "two"} {
		each(t, session, "DELETE FROM "+name+" WHERE k = 7 AND a = ? AND c = ?", each1, func(i int) []any { return []any{a, i} })
		each(t, session, "INSERT INTO "+name+" (k, a, c, v) VALUES (7, ?, ?, ?)", 300, func(i int) []any {
			return []any{a, i%100 + (i/100)*(allowed+100), i}
		})
		rows += 300
	}
	return rows
}

func TestTransferVerbsReadARangeWithTooManyTombstonesInPieces(t *testing.T) {
	session, keyspace := cassandra.Keyspace(t, cluster)
	rows := among(t, session, "graves")
	for _, name := range []string{"plain", "timed"} {
		exec(t, session, "CREATE TABLE %s (k int, a text, c int, s int STATIC, v int, PRIMARY KEY (k, a, c)) WITH CLUSTERING ORDER BY (a ASC, c DESC)", name)
	}
	at := func(name string) transfer.Table { return transfer.Table{Session: session, Name: keyspace + "." + name} }

	job, err := transfer.Count(at("graves"), transfer.CountLargest(2), transfer.CountSizes())
	require.NoError(t, err)
	counted, err := job.Run(t.Context())
	require.NoError(t, err)
	require.True(t, counted.Run.Complete)
	require.Equal(t, rows, counted.Rows)
	require.EqualValues(t, 30, counted.Partitions)
	require.EqualValues(t, 8, counted.StaticOnly)
	require.Equal(t, []string{"7"}, counted.LargestByRows[0].Key)
	require.EqualValues(t, 603, counted.LargestByRows[0].Rows)
	require.EqualValues(t, 4+3*(4+1+4+4)+600*(4+3+4+4), counted.LargestByBytes[0].Bytes, "its static column once")
	require.Positive(t, counted.Run.Retried, "requests failed")

	for name, opts := range map[string][]transfer.CopyOption{"plain": nil, "timed": {transfer.WithTimes()}} {
		copied, err := transfer.Copy(at("graves"), at(name), opts...)
		require.NoError(t, err)
		report, err := copied.Run(t.Context())
		require.NoError(t, err)
		require.True(t, report.Complete)
		target, err := transfer.Count(at(name), transfer.CountLargest(2), transfer.CountSizes())
		require.NoError(t, err)
		there, err := target.Run(t.Context())
		require.NoError(t, err)
		there.Run, there.Table = counted.Run, counted.Table
		require.Equal(t, counted, there)
	}

	var out bytes.Buffer
	unload, err := transfer.Unload(at("graves"), "-", transfer.OnlyColumns("v"), transfer.WithFormat(transfer.NDJSON()), transfer.WithStreams(nil, &out))
	require.NoError(t, err)
	unloaded, err := unload.Run(t.Context())
	require.NoError(t, err)
	require.True(t, unloaded.Complete)
	lines := int64(0)
	for in := bufio.NewScanner(&out); in.Scan(); lines++ {
		require.Regexp(t, `^\{"v":(\d+|null)\}$`, in.Text(), "no column that was not asked for")
	}
	require.Equal(t, rows+8, lines)

	compare := func(folder string, opts ...transfer.DiffOption) transfer.DiffReport {
		diff, err := transfer.Diff(at("graves"), at("timed"), filepath.Join(t.TempDir(), folder), append(opts, transfer.Pause(time.Millisecond))...)
		require.NoError(t, err)
		report, err := diff.Run(t.Context())
		require.NoError(t, err)
		return report
	}
	report := compare("equal", transfer.WithTimes())
	require.True(t, report.Equal(), report.String())
	require.Equal(t, rows, report.SourceRows)

	// What no statement can ask for is named, and everything else is still read and compared.
	exec(t, session, "UPDATE graves SET s = 1 WHERE k = 100")
	each(t, session, "DELETE FROM graves WHERE k = 100 AND a = 'x' AND c = ?", allowed+100, func(i int) []any { return []any{i} })
	exec(t, session, "UPDATE timed SET v = 77 WHERE k = 7 AND a = 'two' AND c = 3")
	exec(t, session, "DELETE FROM timed WHERE k = 7 AND a = 'one' AND c = %d", allowed+150)
	report = compare("unread")
	require.True(t, report.Complete)
	require.Equal(t, [3]int64{1, 1, 1}, [3]int64{report.Unread, report.Newer, report.Missing}, report.String())
	require.EqualValues(t, 3, report.Differences())

	job, err = transfer.Count(at("graves"))
	require.NoError(t, err)
	counted, err = job.Run(t.Context())
	require.ErrorIs(t, err, rxcql.ErrUnread)
	require.False(t, counted.Run.Complete)
	require.Equal(t, rows, counted.Rows)
	require.Contains(t, counted.String(), fmt.Sprint("unread: Table ", keyspace, ".graves"))
}
