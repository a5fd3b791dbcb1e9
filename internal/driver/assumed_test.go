package driver_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

// counting is a server that counts what is run.
func counting(runs *atomic.Int32) *script {
	return &script{
		params: params, keys: []uint16{0},
		execute: func(*message.Execute) message.Message { runs.Add(1); return &message.VoidResult{} },
		batch:   func(*message.Batch) message.Message { runs.Add(1); return &message.VoidResult{} },
	}
}

func version(v int) func(*gocql.ClusterConfig) {
	return func(c *gocql.ClusterConfig) { c.ProtoVersion = v }
}

func TestUnsetIsNotSentWhereTheProtocolWouldMakeNullOfIt(t *testing.T) {
	var runs atomic.Int32
	s := serve(t, counting(&runs), version(3))
	var old *driver.ProtocolError
	require.ErrorAs(t, s.TakesUnset(t.Context()), &old)
	require.Equal(t, 3, old.Version)
	require.ErrorIs(t, old, driver.ErrConfig)
	require.ErrorContains(t, old, "call rxcql.Configure before CreateSession, or set ProtoVersion = 4")

	refused := func(err error) {
		t.Helper()
		require.ErrorAs(t, err, &old)
		require.Equal(t, driver.Misconfigured, driver.Classify(err))
		require.False(t, driver.MayBeApplied(err))
		require.False(t, driver.MayPass(err))
		require.True(t, driver.Infrastructure(err), "not the row's")
		require.Zero(t, runs.Load())
	}
	refused(s.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{1, gocql.UnsetValue}}))
	refused(s.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{1, &driver.Value{State: driver.Unset}}}))
	_, err := s.Fetch(t.Context(), driver.Statement{CQL: selectV, Args: []any{1, gocql.UnsetValue}}, 10, nil)
	refused(err)
	for _, unset := range []int{0, 1, 2} {
		var b driver.Batch
		for i := range 3 {
			args := []any{i, "v"}
			if i == unset {
				args[1] = gocql.UnsetValue
			}
			b.AddEntry(insert, args, nil)
		}
		refused(s.ExecBatch(t.Context(), &b))
	}
	require.NoError(t, s.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{1, nil}}), "a null is a null")
	require.EqualValues(t, 1, runs.Load())

	now := serve(t, counting(&runs))
	require.NoError(t, now.TakesUnset(t.Context()))
	require.NoError(t, now.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{1, gocql.UnsetValue}}))
}

func TestADatacenterThatNoNodeIsInIsAnErrorThatNamesThoseThereAre(t *testing.T) {
	var runs atomic.Int32
	in := func(name string, more ...func(*gocql.ClusterConfig)) *driver.Session {
		return serve(t, counting(&runs), append([]func(*gocql.ClusterConfig){func(c *gocql.ClusterConfig) {
			c.PoolConfig.HostSelectionPolicy = nil
			require.NoError(t, driver.Configure(c, name))
			c.NumConns = 1
		}}, more...)...)
	}
	insertOne := driver.Statement{CQL: insert, Args: []any{1, "v"}}
	for _, name := range []string{"nowhere", "DC1"} {
		s := in(name)
		var b driver.Batch
		b.AddEntry(insert, insertOne.Args, nil)
		b.AddEntry(insert, insertOne.Args, nil)
		_, fetched := s.Fetch(t.Context(), insertOne, 10, nil)
		_, described := s.Describe(t.Context(), insert)
		for _, err := range []error{s.Exec(t.Context(), insertOne), s.ExecBatch(t.Context(), &b), fetched, described, s.TakesUnset(t.Context())} {
			var place *driver.DatacenterError
			require.ErrorAs(t, err, &place)
			require.Equal(t, &driver.DatacenterError{Name: name, Have: []string{"dc1"}}, place)
			require.ErrorContains(t, err, `there is "dc1"`)
			require.ErrorIs(t, err, driver.ErrConfig)
			require.Equal(t, driver.Misconfigured, driver.Classify(err))
			require.False(t, driver.MayBeApplied(err))
		}
		require.Zero(t, runs.Load())
	}
	require.NoError(t, in("dc1").Exec(t.Context(), insertOne))
	require.NoError(t, in("").Exec(t.Context(), insertOne))
	own := func(c *gocql.ClusterConfig) { c.PoolConfig.HostSelectionPolicy = gocql.RoundRobinHostPolicy() }
	require.NoError(t, in("nowhere", own).Exec(t.Context(), insertOne), "a policy of one's own is one's own affair")
	blind := func(c *gocql.ClusterConfig) { c.DisableInitialHostLookup = true }
	require.NoError(t, in("nowhere", blind).Exec(t.Context(), insertOne), "without looking nobody knows")
}

// eager is a policy that repeats everything that fails.
type eager struct{ asked *atomic.Int32 }

func (e eager) Attempt(gocql.RetryableQuery) bool  { return e.asked.Add(1) < 5 }
func (e eager) GetRetryType(error) gocql.RetryType { return gocql.Retry }

func TestWhatTheSessionWouldRepeatIsNotRepeated(t *testing.T) {
	var runs, asked atomic.Int32
	busy := func() message.Message { runs.Add(1); return &message.Overloaded{ErrorMessage: "busy"} }
	s := serve(t, &script{
		params: params, keys: []uint16{0}, results: one,
		execute: func(*message.Execute) message.Message { return busy() },
		batch:   func(*message.Batch) message.Message { return busy() },
	}, func(c *gocql.ClusterConfig) { c.RetryPolicy, c.DefaultIdempotence = eager{&asked}, true })
	st := driver.Statement{CQL: insert, Args: []any{1, "v"}}
	var b driver.Batch
	b.AddEntry(insert, st.Args, nil)
	b.AddEntry(insert, st.Args, nil)
	require.Error(t, s.Exec(t.Context(), st))
	require.Error(t, s.ExecBatch(t.Context(), &b))
	_, err := s.Fetch(t.Context(), st, 10, nil)
	require.Error(t, err)
	require.EqualValues(t, 3, runs.Load())
	require.Zero(t, asked.Load())
}

// watcher sees the requests of a session.
type watcher struct{ seen atomic.Int32 }

func (w *watcher) ObserveQuery(context.Context, gocql.ObservedQuery) { w.seen.Add(1) }

func TestAskingForTheDatacenterIsNoRequest(t *testing.T) {
	var runs atomic.Int32
	for _, own := range []gocql.HostSelectionPolicy{nil, gocql.RoundRobinHostPolicy(), gocql.TokenAwareHostPolicy(gocql.RoundRobinHostPolicy())} {
		w, before := &watcher{}, runs.Load()
		s := serve(t, counting(&runs), func(c *gocql.ClusterConfig) {
			c.QueryObserver = w
			if own != nil {
				c.PoolConfig.HostSelectionPolicy = own
			}
		})
		require.NoError(t, s.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{1, "v"}}))
		require.EqualValues(t, 1, w.seen.Load())
		require.EqualValues(t, before+1, runs.Load())
	}
}
