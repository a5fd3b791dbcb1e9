package deadletter_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// notes is a stream of so many rows that calls at with each number.
func notes(n int, at func(i int)) rxcql.Stream[note] {
	v := "v"
	return source.Seq(func(yield func(note, error) bool) {
		for i := range n {
			at(i)
			if !yield(note{P: int64(i / 50), C: int32(i), V: &v}, nil) {
				return
			}
		}
	}, source.PageRows(50))
}

func TestATableDroppedOrAlteredDuringTheRunIsNoRowsFault(t *testing.T) {
	for name, change := range map[string]string{
		"dropped":             "DROP TABLE t",
		"a column is dropped": "ALTER TABLE t DROP v",
	} {
		for _, columns := range []string{right, "(p bigint, c int PRIMARY KEY, v text, b blob)"} { // batches, single rows
			session, ks := cassandra.Keyspace(t, cluster)
			create(t, session, "CREATE TABLE t "+columns)
			file := lettersFile(t)
			in := notes(20_000, func(i int) {
				if i == 5_000 {
					create(t, session, change)
				}
			})
			rep, err := copied(in, sink.Table[note](session, ks+".t"), rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(file))))
			require.ErrorIs(t, err, rxcql.ErrSchema, "%s: %v", name, err)
			require.Zero(t, rep.DeadLettered, name)
			require.Less(t, rep.PagesSettled, rep.Pages)
			require.Less(t, rep.ReadRows, int64(20_000))
		}
	}
}

func TestASessionClosedDuringTheRunIsNoRowsFault(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+right)
	in := notes(20_000, func(i int) {
		if i == 5_000 {
			session.Close()
		}
	})
	rep, err := copied(in, sink.Table[note](session, ks+".t"), rxcql.WithRowErrors(rxcql.SkipRows(1<<40)))
	require.Error(t, err)
	require.Zero(t, rep.Skipped)
	require.Less(t, rep.PagesSettled, rep.Pages)
}

func TestARowTooLargeForAnyTableBecomesALetterAndIsLoadedOnceFixed(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+right)
	large := func(i int) bool { return i == 3 || i == 70 }
	text := strings.Repeat("x", 17<<20)
	in := operators.Map(notes(100, func(int) {}), func(n note) (note, error) {
		if large(int(n.C)) {
			n.V = &text
		}
		return n, nil
	})
	file := lettersFile(t)
	rep, err := copied(in, sink.Table[note](session, ks+".t"), rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(file))))
	require.NoError(t, err)
	require.EqualValues(t, []int64{98, 2}, []int64{rep.Written, rep.DeadLettered})

	mended := operators.Map(rowsIn[note](file), func(n note) (note, error) {
		require.Equal(t, text, *n.V)
		short := "cut"
		n.V = &short
		return n, nil
	})
	_, err = copied(mended, sink.Table[note](session, ks+".t"))
	require.NoError(t, err)
	require.Len(t, contents(t, session, ks+".t"), 100)

	// The table of letters cannot hold them: the run ends.
	require.NoError(t, deadletter.CreateTable(context.Background(), session, ks+".letters"))
	rep, err = copied(in, sink.Table[note](session, ks+".t"), rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.Table(session, ks+".letters"))))
	require.ErrorContains(t, err, "DeadLetter")
	require.Less(t, rep.PagesSettled, rep.Pages)
}

func TestATableOfLettersThatIsNotThereIsFoundBeforeReadingAndOneThatGoesEndsTheRun(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+right, "CREATE TABLE other (p int PRIMARY KEY)")
	policy := func(name string) rxcql.Option {
		return rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.Table(session, name)))
	}
	for _, name := range []string{ks + ".none", ks + ".other"} {
		rep, err := copied(notes(10, func(int) {}), sink.Table[note](session, ks+".t"), policy(name))
		require.ErrorIs(t, err, rxcql.ErrSchema)
		require.ErrorContains(t, err, "CreateTable")
		require.Zero(t, rep.Pages)
	}
	_, err := copied(notes(10, func(int) {}), sink.Table[note](session, ks+".t"), policy("letters"))
	require.ErrorIs(t, err, rxcql.ErrConfig)

	require.NoError(t, deadletter.CreateTable(context.Background(), session, ks+".letters"))
	broken := errors.New("broken")
	in := operators.Map(notes(20_000, func(i int) {
		if i == 5_000 {
			create(t, session, "DROP TABLE letters")
		}
	}), func(n note) (note, error) { return n, map[bool]error{true: broken}[n.C%2 == 0] })
	rep, err := copied(in, sink.Table[note](session, ks+".t"), policy(ks+".letters"))
	require.ErrorContains(t, err, "DeadLetter")
	require.Less(t, rep.PagesSettled, rep.Pages)
	require.Less(t, rep.ReadRows, int64(20_000))
}

func TestRowsThatAStatementOfExecDoesNotTakeBecomeLetters(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+strict)
	long := strings.Repeat("x", 70_000)
	in := operators.Map(notes(100, func(int) {}), func(n note) (note, error) {
		if n.C%10 == 5 {
			n.V = &long
		}
		return n, nil
	})
	refused := errors.New("refused")
	exec := func(session *gocql.Session) rxcql.Sink[note] {
		return sink.Exec(session, "INSERT INTO "+ks+".t (p, c, v) VALUES (?, ?, ?)", func(n note) ([]any, error) {
			switch n.C % 10 {
			case 6:
				return nil, refused
			case 7:
				return []any{n.P, "not a number", n.V}, nil
			}
			return []any{n.P, n.C, n.V}, nil
		})
	}
	file := lettersFile(t)
	rep, err := copied(in, exec(session), rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(file))))
	require.NoError(t, err)
	require.EqualValues(t, []int64{70, 30, rep.Pages}, []int64{rep.Written, rep.DeadLettered, rep.PagesSettled})
	require.Len(t, contents(t, session, ks+".t"), 70)
	for l, err := range deadletter.Read[note](file) {
		require.NoError(t, err)
		require.Contains(t, []int32{5, 6, 7}, l.Row.C%10)
	}

	create(t, session, "DROP TABLE t")
	good := operators.Filter(in, func(n note) bool { return n.C%10 < 5 })
	rep, err = copied(good, exec(session), rxcql.WithRowErrors(rxcql.SkipRows(1000)))
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.Zero(t, rep.Skipped)
}
