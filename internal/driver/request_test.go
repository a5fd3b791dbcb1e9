package driver_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

const insert = "INSERT INTO ks.t (k, v) VALUES (?, ?)"

var params = []*message.ColumnMetadata{column("k", datatype.Int), column("v", datatype.Varchar)}

func TestEncodedValuesArriveAsTheyAre(t *testing.T) {
	var sent shared[[]*primitive.Value]
	s := serve(t, &script{params: params, keys: []uint16{0}, execute: func(e *message.Execute) message.Message {
		sent.set(e.Options.PositionalValues)
		return &message.VoidResult{}
	}})
	for _, c := range []struct {
		value driver.Value
		want  *primitive.Value
	}{
		{driver.Value{Bytes: []byte("x")}, primitive.NewValue([]byte("x"))},
		{driver.Value{Bytes: []byte{}}, primitive.NewValue([]byte{})},
		{driver.Value{}, primitive.NewValue([]byte{})},
		{driver.Value{State: driver.Null, Bytes: []byte("no")}, primitive.NewNullValue()},
		{driver.Value{State: driver.Unset, Bytes: []byte("no")}, primitive.NewUnsetValue()},
	} {
		values := []driver.Value{{Bytes: []byte{0, 0, 0, 7}}, c.value}
		require.NoError(t, s.Exec(t.Context(), driver.Statement{CQL: insert, Args: driver.Bind(nil, values)}))
		got := sent.get()
		require.Equal(t, c.want.Type, got[1].Type)
		require.Equal(t, string(c.want.Contents), string(got[1].Contents))

		require.NoError(t, s.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{7, &values[1]}}), "beside a Go value")
		got = sent.get()
		require.Equal(t, c.want.Type, got[1].Type)
		require.Equal(t, []byte{0, 0, 0, 7}, got[0].Contents)
	}
}

func TestBindingEncodedValuesAllocatesNothing(t *testing.T) {
	values := []driver.Value{{Bytes: []byte("x")}, {State: driver.Unset}, {State: driver.Null}}
	args := make([]any, 0, 3)
	require.Zero(t, testing.AllocsPerRun(100, func() { args = driver.Bind(args[:0], values) }))
}

func TestAValueThatDoesNotFitIsNamedWithoutBeingShown(t *testing.T) {
	s := serve(t, &script{params: params, keys: []uint16{0}, execute: func(*message.Execute) message.Message { return &message.VoidResult{} },
		batch: func(*message.Batch) message.Message { return &message.VoidResult{} }})
	secret := "4111111111111111"
	err := s.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{secret, "v"}})
	var misfit *driver.BoundValueError
	require.ErrorAs(t, err, &misfit)
	require.Equal(t, 0, misfit.Index)
	require.NotContains(t, err.Error(), secret)
	require.Equal(t, driver.Invalid, driver.Classify(err))

	var b driver.Batch
	b.AddEntry(insert, []any{1, "v"}, nil)
	b.AddEntry(insert, []any{secret, "v"}, nil)
	err = s.ExecBatch(t.Context(), &b)
	require.ErrorAs(t, err, &misfit)
	require.NotContains(t, err.Error(), secret)
}

func TestTheWrongNumberOfValuesIsAnError(t *testing.T) {
	s := serve(t, &script{params: params, keys: []uint16{1}, execute: func(*message.Execute) message.Message { return &message.VoidResult{} },
		batch: func(*message.Batch) message.Message { return &message.VoidResult{} }})
	for _, args := range [][]any{{}, {1}, {1, "v", "more"}} {
		require.Error(t, s.Exec(t.Context(), driver.Statement{CQL: insert, Args: args}), "%d values", len(args))
		var b driver.Batch
		b.AddEntry(insert, []any{1, "v"}, nil)
		b.AddEntry(insert, args, nil)
		if len(args) > 0 { // a batch sends a statement without values unprepared: the server says so
			require.Error(t, s.ExecBatch(t.Context(), &b), "%d values in a batch", len(args))
		}
	}
}

func TestNothingIsRepeatedByTheDriver(t *testing.T) {
	var runs atomic.Int32
	s := serve(t, &script{params: params, keys: []uint16{0},
		execute: func(*message.Execute) message.Message {
			runs.Add(1)
			return &message.Overloaded{ErrorMessage: "busy"}
		},
		batch: func(*message.Batch) message.Message {
			runs.Add(1)
			return &message.Overloaded{ErrorMessage: "busy"}
		},
	}, func(c *gocql.ClusterConfig) {
		c.RetryPolicy = &gocql.SimpleRetryPolicy{NumRetries: 5}
		c.DefaultIdempotence = true
	})
	st := driver.Statement{CQL: insert, Args: []any{1, "v"}, Idempotent: true}
	require.Equal(t, driver.Overloaded, driver.Classify(s.Exec(t.Context(), st)))
	_, err := s.Fetch(t.Context(), st, 10, nil)
	require.Equal(t, driver.Overloaded, driver.Classify(err))
	b := driver.Batch{Idempotent: true}
	b.AddEntry(insert, []any{1, "v"}, nil)
	b.AddEntry(insert, []any{2, "v"}, nil)
	require.Equal(t, driver.Overloaded, driver.Classify(s.ExecBatch(t.Context(), &b)))
	require.Equal(t, int32(3), runs.Load())
}

func TestAServerThatKeepsForgettingStatementsIsGivenUp(t *testing.T) {
	var runs atomic.Int32
	s := serve(t, &script{params: params, keys: []uint16{0},
		execute: func(e *message.Execute) message.Message {
			runs.Add(1)
			return &message.Unprepared{ErrorMessage: "again", Id: e.QueryId}
		},
		batch: func(b *message.Batch) message.Message {
			runs.Add(1)
			return &message.Unprepared{ErrorMessage: "again", Id: b.Children[0].Id}
		},
	})
	err := s.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{1, "v"}})
	require.ErrorIs(t, err, driver.ErrUnpreparedLoop)
	require.Equal(t, driver.Unprepared, driver.Classify(err))
	require.Equal(t, int32(4), runs.Swap(0))

	var b driver.Batch
	b.AddEntry(insert, []any{1, "v"}, nil)
	b.AddEntry(insert, []any{2, "v"}, nil)
	for range 2 { // the count starts anew with each run
		require.ErrorIs(t, s.ExecBatch(t.Context(), &b), driver.ErrUnpreparedLoop)
		require.Equal(t, int32(4), runs.Swap(0))
	}
}

func TestCancellingGivesTheCause(t *testing.T) {
	arrived := make(chan struct{}, 1)
	hold := make(chan struct{})
	s := serve(t, &script{params: params, keys: []uint16{0}, execute: func(*message.Execute) message.Message {
		arrived <- struct{}{}
		<-hold
		return &message.VoidResult{}
	}})
	t.Cleanup(func() { close(hold) })
	why := errors.New("the caller had enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() { <-arrived; cancel(why) }()
	err := s.Exec(ctx, driver.Statement{CQL: insert, Args: []any{1, "v"}})
	require.ErrorIs(t, err, why)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, driver.Cancelled, driver.Classify(err))

	require.ErrorIs(t, s.Exec(ctx, driver.Statement{CQL: insert}), why, "cancelled beforehand")
}

func TestASlowServerIsAClientTimeout(t *testing.T) {
	hold := make(chan struct{})
	s := serve(t, &script{params: params, execute: func(*message.Execute) message.Message {
		<-hold
		return &message.VoidResult{}
	}}, func(c *gocql.ClusterConfig) { c.Timeout = 2 * time.Second })
	t.Cleanup(func() { close(hold) })
	err := s.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{1, "v"}})
	require.Equal(t, driver.ClientTimeout, driver.Classify(err))
	require.True(t, driver.Classify(err).Ambiguous())
}

func TestDescribingDoesNotRunTheStatement(t *testing.T) {
	var runs atomic.Int32
	s := serve(t, &script{params: params, keys: []uint16{0}, results: one, execute: func(*message.Execute) message.Message {
		runs.Add(1)
		return &message.VoidResult{}
	}})
	d, err := s.Describe(t.Context(), selectV)
	require.NoError(t, err)
	require.Equal(t, []string{"k", "v"}, []string{d.Params[0].Name, d.Params[1].Name})
	require.Equal(t, "v", d.Results[0].Name)
	require.Equal(t, []int{0}, d.PartitionKey)
	for _, cql := range []string{"TRUNCATE ks.t", "DROP TABLE ks.t", "/* hello */ SELECT v FROM ks.t", "", "select"} {
		_, err := s.Describe(t.Context(), cql)
		require.ErrorIs(t, err, driver.ErrNotPreparable, cql)
	}
	require.Zero(t, runs.Load())
}

func TestSettingsReachTheServer(t *testing.T) {
	var options shared[*message.QueryOptions]
	var batched shared[*message.Batch]
	s := serve(t, &script{params: params, keys: []uint16{0},
		execute: func(e *message.Execute) message.Message { options.set(e.Options); return &message.VoidResult{} },
		batch:   func(b *message.Batch) message.Message { batched.set(b); return &message.VoidResult{} },
	})
	consistency, serial, at := gocql.LocalOne, gocql.LocalSerial, int64(1234)
	b := driver.Batch{Consistency: &consistency, SerialConsistency: &serial, Timestamp: &at, Kind: driver.Logged}
	b.AddEntry(insert, []any{1, "v"}, nil)
	for range 2 { // alone it is a plain statement
		require.NoError(t, s.ExecBatch(t.Context(), &b))
		b.AddEntry(insert, []any{2, "v"}, nil)
	}
	single, batch := options.get(), batched.get()
	require.Equal(t, primitive.ConsistencyLevelLocalOne, single.Consistency)
	require.Equal(t, primitive.ConsistencyLevelLocalSerial, *single.SerialConsistency)
	require.Equal(t, at, *single.DefaultTimestamp)
	require.Equal(t, primitive.ConsistencyLevelLocalOne, batch.Consistency)
	require.Equal(t, primitive.ConsistencyLevelLocalSerial, *batch.SerialConsistency)
	require.Equal(t, at, *batch.DefaultTimestamp)
	require.Equal(t, primitive.BatchTypeLogged, batch.Type)

	at = 0
	require.ErrorIs(t, s.ExecBatch(t.Context(), &b), driver.ErrZeroTimestamp)
	require.ErrorIs(t, s.Exec(t.Context(), driver.Statement{CQL: insert, Timestamp: &at}), driver.ErrZeroTimestamp)
	b.Reset()
	require.ErrorIs(t, s.ExecBatch(t.Context(), &b), driver.ErrEmptyBatch)
}

func TestSessionsThatCannotBeUsedAreRefused(t *testing.T) {
	_, err := driver.Wrap(nil)
	require.ErrorIs(t, err, driver.ErrNoSession)

	session := dial(t, &script{})
	wrapped, err := driver.Wrap(session)
	require.NoError(t, err)
	session.Close()
	_, err = driver.Wrap(session)
	require.ErrorIs(t, err, driver.ErrSessionClosed)
	err = wrapped.Exec(t.Context(), driver.Statement{CQL: insert})
	require.ErrorIs(t, err, driver.ErrSessionClosed)
	require.Equal(t, driver.SessionClosed, driver.Classify(err))
}
