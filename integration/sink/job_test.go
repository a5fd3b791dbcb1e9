package sink_test

import (
	"errors"
	"iter"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

var errBroken = errors.New("broken on purpose")

// broken is a source of 2000 rows in a job, which ends after so many; with 0 not.
func broken(after int64) rxcql.Stream[event] {
	numbers := source.SeqFrom("numbers", func(from int64) iter.Seq2[event, error] {
		return func(yield func(event, error) bool) {
			for i := from; i < 2000 && yield(event{P: i, V: text(strconv.Itoa(int(i)))}, nil); i++ {
			}
		}
	})
	return operators.Tap(numbers, func(e event) error {
		if after > 0 && e.P >= after {
			return errBroken
		}
		return nil
	})
}

func job(t *testing.T, after int64, to rxcql.Sink[event], store *jobtest.Store) error {
	t.Helper()
	p, err := rxcql.New(broken(after), to, rxcql.WithCheckpoint(store, "job"))
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	return err
}

func TestAJobDoesNotGoOnIntoSomethingElse(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	tables := func() { create(t, session, "CREATE TABLE t "+eventColumns, "CREATE TABLE other "+eventColumns) }
	tables()
	bind := func(e event) ([]any, error) { return []any{e.P, e.C, e.V}, nil }
	insert := func(table string) rxcql.Sink[event] {
		return sink.Exec(session, "INSERT INTO "+table+" (p, c, v) VALUES (?, ?, ?)", bind, sink.Idempotent())
	}
	table := func(opts ...sink.TableOption) rxcql.Sink[event] { return sink.Table[event](session, ks+".t", opts...) }
	type place struct {
		P int64 `cql:"p"`
		C int32 `cql:"c"`
	}
	key := func(opts ...sink.TableOption) rxcql.Sink[event] {
		return sink.Through(func(in rxcql.Stream[event]) rxcql.Stream[place] {
			return operators.Map(in, func(e event) (place, error) { return place{e.P, e.C}, nil })
		}, sink.Table[place](session, ks+".t", opts...))
	}
	foreign := func(err error, says string) {
		t.Helper()
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
		require.ErrorContains(t, err, says)
	}
	execs, inserts, deletes := &jobtest.Store{}, &jobtest.Store{}, &jobtest.Store{}
	require.ErrorIs(t, job(t, 1000, insert(ks+".t"), execs), errBroken)
	require.ErrorIs(t, job(t, 1000, table(), inserts), errBroken)
	require.ErrorIs(t, job(t, 1000, key(sink.Delete()), deletes), errBroken)

	foreign(job(t, 0, insert(ks+".other"), execs), "statement")
	foreign(job(t, 0, key(), deletes), "writes")
	require.NoError(t, job(t, 0, key(sink.Delete()), deletes))

	create(t, session, "DROP TABLE t", "DROP TABLE other")
	tables()
	foreign(job(t, 0, insert(ks+".t"), execs), "table id")
	foreign(job(t, 0, table(), inserts), "table id")
}
