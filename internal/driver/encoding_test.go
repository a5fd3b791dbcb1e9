package driver_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/frame"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

var intAndText = []*codec.Type{{Kind: codec.Int}, {Kind: codec.Text}}

// remade is a server that forgets the statement at its first run, and then says that
// it takes other values.
func remade(runs *atomic.Int32, now ...*message.ColumnMetadata) *script {
	s := &script{params: params, keys: []uint16{0}}
	forget := func(id []byte) message.Message {
		if runs.Add(1) == 1 {
			s.params = now // by the goroutine of the connection, as Prepare is answered
			return &message.Unprepared{ErrorMessage: "forgotten", Id: id}
		}
		return &message.VoidResult{}
	}
	s.execute = func(e *message.Execute) message.Message { return forget(e.QueryId) }
	s.batch = func(b *message.Batch) message.Message { return forget(b.Children[len(b.Children)-1].Id) }
	return s
}

// ways send the values of insert, encoded for these types, in all the ways there are.
func ways(t *testing.T, s *driver.Session, encoding *driver.Encoding) map[string]func() error {
	values := func() []any {
		return driver.Bind(nil, []driver.Value{{Bytes: []byte{0, 0, 0, 1}}, {Bytes: []byte("v")}})
	}
	return map[string]func() error{
		"a statement": func() error {
			return s.Exec(t.Context(), driver.Statement{CQL: insert, Args: values(), Encoding: encoding})
		},
		"a batch": func() error {
			var b driver.Batch
			for range 3 {
				b.AddEntry(insert, values(), encoding)
			}
			return s.ExecBatch(t.Context(), &b)
		},
	}
}

func TestValuesAreNotSentToATableThatTakesOtherOnes(t *testing.T) {
	for name, now := range map[string][]*message.ColumnMetadata{
		"another type":      {column("k", datatype.Int), column("v", datatype.Blob)},
		"of another length": {column("k", datatype.Bigint), column("v", datatype.Varchar)},
		"a collection":      {column("k", datatype.Int), column("v", datatype.NewList(datatype.Varchar))},
		"more of them":      {column("k", datatype.Int), column("v", datatype.Varchar), column("w", datatype.Int)},
		"fewer":             {column("k", datatype.Int)},
	} {
		for _, way := range []string{"a statement", "a batch"} {
			if way == "a batch" && len(now) != len(params) {
				continue // gocql finds it at the first entry; no text has another number of markers than it had
			}
			var runs atomic.Int32
			s := serve(t, remade(&runs, now...))
			err := ways(t, s, driver.NewEncoding(intAndText, nil))[way]()
			var changed *driver.SchemaChangedError
			require.ErrorAs(t, err, &changed, "%s: %s", way, name)
			require.ErrorIs(t, err, driver.ErrSchema)
			require.Equal(t, driver.SchemaChanged, driver.Classify(err))
			require.False(t, driver.MayBeApplied(err))
			require.False(t, driver.MayPass(err))
			require.True(t, driver.Infrastructure(err), "not the row's")
			require.EqualValues(t, 1, runs.Load(), "%s: %s", way, name)
		}
	}
}

func TestTheTablesAreAskedForWithEachNewDescription(t *testing.T) {
	for _, way := range []string{"a statement", "a batch"} {
		var runs, asked atomic.Int32
		var answer shared[error]
		encoding := driver.NewEncoding(intAndText, func(context.Context) error { asked.Add(1); return answer.get() })
		s := serve(t, remade(&runs, params...))
		send := ways(t, s, encoding)[way]
		require.NoError(t, send())
		require.EqualValues(t, 2, runs.Load())
		require.EqualValues(t, 2, asked.Load(), "when it was prepared first, and again")
		require.NoError(t, send())
		require.EqualValues(t, 2, asked.Load(), "what is known is not asked for")

		gone := &driver.SchemaChangedError{What: "made again"}
		for _, wrong := range []error{gone, gocql.ErrNoConnections} {
			answer.set(wrong)
			runs.Store(0)
			err := send()
			require.ErrorIs(t, err, wrong)
			require.EqualValues(t, 1, runs.Load(), "only what the server did not know")
			require.False(t, driver.MayBeApplied(err))
			require.Equal(t, wrong != gone, driver.MayPass(err))
			answer.set(nil)
			require.NoError(t, send())
		}
	}
}

func TestATypeThatHasGotFieldsTakesTheOldValues(t *testing.T) {
	udt := func(names ...string) datatype.DataType {
		types := make([]datatype.DataType, len(names))
		for i := range types {
			types[i] = datatype.Int
		}
		u, err := datatype.NewUserDefined("ks", "u", names, types)
		require.NoError(t, err)
		return u
	}
	number := &codec.Type{Kind: codec.Int}
	was := &codec.Type{Kind: codec.UDT, Name: "u", Fields: []codec.Field{{Name: "a", Type: number}, {Name: "b", Type: number}}}
	for _, each := range []struct {
		now  datatype.DataType
		fits bool
	}{
		{udt("a", "b"), true}, {udt("a", "b", "c"), true}, {udt("a"), false}, {udt("b", "a"), false}, {datatype.Blob, false},
	} {
		var b driver.Batch
		for range 2 {
			b.AddEntry(insert, []any{&driver.Value{}, &driver.Value{}}, driver.NewEncoding([]*codec.Type{number, was}, nil))
		}
		s := serve(t, &script{params: []*message.ColumnMetadata{column("k", datatype.Int), column("v", each.now)},
			batch: func(*message.Batch) message.Message { return &message.VoidResult{} }})
		err := s.ExecBatch(t.Context(), &b)
		require.Equal(t, each.fits, err == nil, "%v: %v", each.now, err)
	}
}

func TestALabelChangesTheTextAndNothingElse(t *testing.T) {
	const batch = "BEGIN UNLOGGED BATCH INSERT INTO t (k) VALUES (?); APPLY BATCH"
	for _, cql := range []string{insert, "  " + insert + " ; ", batch, "begin batch\nUPDATE t SET v = ?;\napply batch;"} {
		one := driver.Label(cql, "id", intAndText)
		require.Equal(t, one, driver.Label(cql, "id", intAndText))
		require.NotEqual(t, one, driver.Label(cql, "other", intAndText))
		require.NotEqual(t, one, driver.Label(cql, "id", intAndText[:1]))
		require.Contains(t, one, "/* ")
		var runs atomic.Int32
		s := serve(t, counting(&runs))
		require.NoError(t, s.Exec(t.Context(), driver.Statement{CQL: one, Args: []any{1, "v"}}), "the driver still prepares it")
		require.EqualValues(t, 1, runs.Load())
	}
}

func TestAPanicBeforeAnythingIsSentLeavesNothingOpen(t *testing.T) {
	var runs atomic.Int32
	s := counting(&runs)
	s.keys = []uint16{1} // the routing key is the last value, which is missing
	session := serve(t, s)
	var b driver.Batch
	b.AddEntry(insert, []any{1}, nil)
	b.AddEntry(insert, []any{1, "v"}, nil)
	for _, err := range []error{
		session.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{1}}),
		session.ExecBatch(t.Context(), &b),
	} {
		require.ErrorIs(t, err, driver.ErrDriverPanic)
		require.True(t, driver.NotSent(err))
		require.False(t, driver.MayBeApplied(err))
	}
	about, err := session.Describe(t.Context(), insert)
	require.NoError(t, err)
	encoding := about.Encoding(nil)
	for _, args := range [][]any{{}, {1}, {1, "v", 2}} {
		err := session.Exec(t.Context(), driver.Statement{CQL: insert, Args: args, Encoding: encoding})
		var count *driver.BoundCountError
		require.ErrorAs(t, err, &count)
		require.Equal(t, &driver.BoundCountError{Want: 2, Got: len(args)}, count)
		require.Equal(t, driver.Invalid, driver.Classify(err))
		require.False(t, driver.MayBeApplied(err))
	}
	var panicking *driver.MarshalPanicError
	for _, e := range []*driver.Encoding{nil, encoding} {
		err = session.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{1, broken{}}, Encoding: e})
		require.ErrorAs(t, err, &panicking)
		require.ErrorIs(t, err, driver.ErrPanic)
		require.False(t, driver.MayBeApplied(err))
		require.NotContains(t, err.Error(), "4111")
		require.Contains(t, string(panicking.Stack), "MarshalCQL")
	}
	require.Zero(t, runs.Load())
}

func TestAPanicAfterSomethingWasSentLeavesItOpen(t *testing.T) {
	s := serve(t, &script{params: params, keys: []uint16{0}, raw: func(in *frame.Frame) []byte {
		return append(header(in, primitive.OpCodeResult, 4), 0, 0, 0, 99) // a kind of result that there is not
	}})
	err := s.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{1, "v"}})
	require.Error(t, err)
	require.False(t, driver.NotSent(err))
	require.True(t, driver.MayBeApplied(err))

	late := serve(t, counting(new(atomic.Int32)), func(c *gocql.ClusterConfig) { c.QueryObserver = panicsLate{} })
	err = late.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{1, "v"}})
	require.ErrorIs(t, err, driver.ErrDriverPanic)
	require.False(t, driver.NotSent(err))
	require.True(t, driver.MayBeApplied(err))
}

// panicsLate is told of a request when it has been answered.
type panicsLate struct{}

func (panicsLate) ObserveQuery(context.Context, gocql.ObservedQuery) { panic("late") }
