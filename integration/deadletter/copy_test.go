package deadletter_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

const rows = 500

func TestACopySkipsRowsUpToTheMaximum(t *testing.T) {
	session, from, to, _ := original(t, rows)
	for _, policy := range []rxcql.RowErrorPolicy{rxcql.SkipRows(rows / 5), rxcql.SkipPercent(20, rows)} {
		create(t, session, "TRUNCATE "+to)
		rep, err := copied(source.Table[note](session, from), sink.Table[note](session, to), rxcql.WithRowErrors(policy))
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.EqualValues(t, []int64{rows, rows * 4 / 5, rows / 5}, []int64{rep.ReadRows, rep.Written, rep.Skipped})
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.Len(t, contents(t, session, to), rows*4/5)
	}
	for _, policy := range []rxcql.RowErrorPolicy{rxcql.SkipRows(rows/5 - 1), rxcql.SkipPercent(19.9, 0), rxcql.FailOnRowError()} {
		rep, err := copied(source.Table[note](session, from), sink.Table[note](session, to), rxcql.WithRowErrors(policy))
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row)
		require.False(t, rep.Complete)
		require.Less(t, rep.PagesSettled, rep.Pages)
		require.NotContains(t, err.Error(), canary)
	}
}

func TestLettersLoadedAgainMakeTheCopyWhole(t *testing.T) {
	t.Run("structs", func(t *testing.T) { copyThroughLetters[note](t) })
	t.Run("rows as received", func(t *testing.T) { copyThroughLetters[rxcql.Row](t) })
}

func copyThroughLetters[T any](t *testing.T) {
	session, from, to, corrected := original(t, rows)
	want := contents(t, session, from)
	require.Len(t, want, rows)
	file := lettersFile(t)
	create(t, session, "CREATE KEYSPACE IF NOT EXISTS letters WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"DROP TABLE IF EXISTS letters.kept")
	require.NoError(t, deadletter.CreateTable(context.Background(), session, "letters.kept"))
	require.NoError(t, deadletter.CreateTable(context.Background(), session, "letters.kept"), "again")
	for name, store := range map[string]struct {
		rxcql.DeadLetterStore
		load rxcql.Stream[T]
	}{
		"file":  {deadletter.NDJSON(file), rowsIn[T](file)},
		"table": {deadletter.Table(session, "letters.kept"), rowsOf[T](session, "letters.kept")},
	} {
		var log bytes.Buffer
		create(t, session, "TRUNCATE "+to, "TRUNCATE "+corrected)
		rep, err := copied(source.Table[T](session, from), sink.Table[T](session, to), rxcql.WithRowErrors(rxcql.DeadLetter(store)),
			rxcql.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		require.NoError(t, err, name)
		require.EqualValues(t, []int64{rows, rows * 4 / 5, rows / 5}, []int64{rep.ReadRows, rep.Written, rep.DeadLettered})
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.NotContains(t, log.String()+fmt.Sprint(rep), canary)

		for _, half := range []rxcql.Stream[T]{source.Table[T](session, to), store.load} {
			part, err := copied(half, sink.Table[T](session, corrected))
			require.NoError(t, err, name)
			require.True(t, part.Complete)
		}
		require.ElementsMatch(t, want, contents(t, session, corrected), name)
	}

	// Two runs leave two letters a row; loading both does no harm.
	_, err := copied(source.Table[T](session, from), sink.Table[T](session, to), rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(file))))
	require.NoError(t, err)
	rep, err := copied(rowsIn[T](file), sink.Table[T](session, corrected))
	require.NoError(t, err)
	require.EqualValues(t, rows/5*2, rep.Written)
	require.ElementsMatch(t, want, contents(t, session, corrected))
}

func TestALetterNamesNothingOfTheRowButInTheRow(t *testing.T) {
	session, from, to, _ := original(t, 50)
	file := lettersFile(t)
	_, err := copied(source.Table[note](session, from), sink.Table[note](session, to), rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(file))))
	require.NoError(t, err)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 5, bytes.Count(data, []byte(canary)))
	n := 0
	for l, err := range deadletter.Read[note](file) {
		require.NoError(t, err)
		require.True(t, bad(int(l.Row.C)))
		require.NotContains(t, fmt.Sprint(l.Run, l.Stage, l.Error, l.Range, l.Type), canary)
		require.Equal(t, "Table "+to, l.Stage)
		n++
	}
	require.Equal(t, 10, n)
}

func TestARowThatCannotBeDecodedIsKeptAsItWasReceived(t *testing.T) {
	type small struct {
		P int64  `cql:"p"`
		C int8   `cql:"c"` // the column's is an int
		B []byte `cql:"b"`
	}
	session, from, _, corrected := original(t, rows)
	file := lettersFile(t)
	rep, err := copied(source.Table[small](session, from), sink.Table[small](session, corrected),
		rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(file))))
	require.NoError(t, err)
	require.EqualValues(t, []int64{rows, 128, rows - 128, rows - 128},
		[]int64{rep.ReadRows, rep.Written, rep.DeadLettered, rep.Stages[0].DeadLettered})
	require.Equal(t, rep.Pages, rep.PagesSettled)
	for l, err := range deadletter.Read[rxcql.Row](file) {
		require.NoError(t, err)
		require.Equal(t, "Table "+from, l.Stage)
		require.Regexp(t, `^\(-?\d+, -?\d+\]$`, l.Range, "the token range")
		require.Contains(t, l.Error, `column "c" (int`)
	}
	_, err = copied(rowsIn[rxcql.Row](file), sink.Table[rxcql.Row](session, corrected))
	require.NoError(t, err)
	without := func(table string) (all []string) {
		err := eachOf(session, table, func(p int64, c int, b []byte) { all = append(all, fmt.Sprint(p, c, string(b))) })
		require.NoError(t, err)
		return all
	}
	require.ElementsMatch(t, without(from), without(corrected))

	_, err = copied(source.Table[small](session, from), sink.Table[small](session, corrected), rxcql.WithRowErrors(rxcql.SkipRows(100)))
	require.ErrorIs(t, err, rxcql.ErrSkipLimit)
	require.ErrorContains(t, err, "value out of range")
}

func eachOf(session *gocql.Session, table string, fn func(p int64, c int, b []byte)) error {
	iter := session.Query("SELECT p, c, b FROM " + table).Iter()
	var p int64
	var c int
	var b []byte
	for iter.Scan(&p, &c, &b) {
		fn(p, c, b)
	}
	return iter.Close()
}
