package driver_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"weak"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

func TestARepeatedStatementIsSentWithItsOwnValuesEachTime(t *testing.T) {
	var sent shared[*message.Execute]
	s := serve(t, &script{params: params, keys: []uint16{0}, execute: func(e *message.Execute) message.Message {
		sent.set(e)
		return &message.VoidResult{}
	}})
	one, two := gocql.One, gocql.Two
	var r driver.Repeated
	for i, st := range []driver.Statement{
		{CQL: insert},
		{CQL: insert},
		{CQL: insert, Consistency: &one},
		{CQL: insert, Consistency: &two},
		{CQL: insert + " USING TTL 5"},
		{CQL: insert},
		{CQL: insert, Timestamp: new(int64(77))},
		{CQL: insert},
	} {
		text := fmt.Sprint("text ", i)
		values := []driver.Value{{Bytes: []byte{0, 0, 0, byte(i)}}, {Bytes: []byte(text)}}
		st.Args = driver.Bind(nil, values)
		require.NoError(t, r.Exec(t.Context(), s, &st))
		got := sent.get()
		require.Equal(t, st.CQL, string(got.QueryId))
		require.Equal(t, []byte{0, 0, 0, byte(i)}, got.Options.PositionalValues[0].Contents)
		require.Equal(t, text, string(got.Options.PositionalValues[1].Contents))
		want := primitive.ConsistencyLevelQuorum // gocql's default
		if st.Consistency != nil {
			want = primitive.ConsistencyLevel(*st.Consistency)
		}
		require.Equal(t, want, got.Options.Consistency)
		require.Equal(t, st.Timestamp != nil, *got.Options.DefaultTimestamp == 77)
	}
}

func TestARepeatedStatementComparesWhatItsValuesAreEncodedFor(t *testing.T) {
	s := serve(t, &script{params: params, keys: []uint16{0}, execute: func(*message.Execute) message.Message { return &message.VoidResult{} }})
	encoding := func(types ...string) *driver.Encoding {
		var parsed []*codec.Type
		for _, name := range types {
			typ, err := codec.Parse(name, nil)
			require.NoError(t, err)
			parsed = append(parsed, typ)
		}
		return driver.NewEncoding(parsed, nil)
	}
	st := driver.Statement{CQL: insert, Args: driver.Bind(nil, []driver.Value{{Bytes: []byte{0, 0, 0, 1}}, {Bytes: []byte("v")}})}
	right, wrong := encoding("int", "text"), encoding("int", "blob")
	var r driver.Repeated
	for range 3 {
		st.Encoding = right
		require.NoError(t, r.Exec(t.Context(), s, &st))
		st.Encoding = wrong
		require.Equal(t, driver.SchemaChanged, driver.Classify(r.Exec(t.Context(), s, &st)))
	}
	st.Encoding, st.Args = right, st.Args[:1]
	var count *driver.BoundCountError
	require.ErrorAs(t, r.Exec(t.Context(), s, &st), &count)
}

func TestARepeatedStatementObeysTheContextOfEachTime(t *testing.T) {
	s := serve(t, &script{params: params, keys: []uint16{0}, execute: func(*message.Execute) message.Message { return &message.VoidResult{} }})
	st := driver.Statement{CQL: insert, Args: []any{1, "v"}}
	over := errors.New("over")
	ended, end := context.WithCancelCause(t.Context())
	var r driver.Repeated
	require.NoError(t, r.Exec(ended, s, &st))
	end(over)
	require.NoError(t, r.Exec(t.Context(), s, &st))
	require.ErrorIs(t, r.Exec(ended, s, &st), over)
	require.NoError(t, r.Exec(t.Context(), s, &st))
}

func TestARepeatedStatementMayBeForgottenEachTime(t *testing.T) {
	forgotten, runs := false, 0
	s := serve(t, &script{params: params, keys: []uint16{0}, execute: func(e *message.Execute) message.Message {
		if forgotten = !forgotten; forgotten {
			return &message.Unprepared{ErrorMessage: "who?", Id: e.QueryId}
		}
		runs++
		return &message.VoidResult{}
	}}, func(c *gocql.ClusterConfig) { c.NumConns = 1 })
	var r driver.Repeated
	for range 20 { // gocql would prepare one request without end, which ErrUnpreparedLoop ends
		require.NoError(t, r.Exec(t.Context(), s, &driver.Statement{CQL: insert, Args: []any{1, "v"}}))
	}
	require.Equal(t, 20, runs)
}

func TestARepeatedStatementIsSentAfterOneThatFailed(t *testing.T) {
	fails := true
	s := serve(t, &script{params: params, keys: []uint16{0}, execute: func(*message.Execute) message.Message {
		if fails = !fails; !fails {
			return &message.Overloaded{ErrorMessage: "too much"}
		}
		return &message.VoidResult{}
	}}, func(c *gocql.ClusterConfig) { c.NumConns = 1 })
	st := driver.Statement{CQL: insert, Args: []any{1, "v"}}
	var r driver.Repeated
	for range 3 {
		require.Equal(t, driver.Overloaded, driver.Classify(r.Exec(t.Context(), s, &st)))
		require.NoError(t, r.Exec(t.Context(), s, &st))
	}
}

func TestARepeatedStatementKeepsNoValuesThatHaveBeenSent(t *testing.T) {
	s := serve(t, &script{params: params, keys: []uint16{0}, execute: func(*message.Execute) message.Message { return &message.VoidResult{} }})
	var r driver.Repeated
	send := func() weak.Pointer[byte] {
		large := make([]byte, 1<<20)
		st := driver.Statement{CQL: insert, Args: driver.Bind(nil, []driver.Value{{Bytes: []byte{0, 0, 0, 1}}, {Bytes: large}})}
		require.NoError(t, r.Exec(t.Context(), s, &st))
		return weak.Make(&large[0])
	}
	for range 3 { // the first makes the query, the others bind it anew
		sent := send()
		runtime.GC()
		require.Nil(t, sent.Value(), "a row that was written is in nobody's budget any more")
	}
	runtime.KeepAlive(&r)
}

// keys notes the routing key of the last request.
type keys struct {
	gocql.HostSelectionPolicy
	last shared[[]byte]
}

func (k *keys) Pick(q gocql.ExecutableQuery) gocql.NextHost {
	if q != nil {
		if key, err := q.GetRoutingKey(); err == nil {
			k.last.set(key)
		}
	}
	return k.HostSelectionPolicy.Pick(q)
}

func TestARepeatedStatementGoesToTheNodeOfItsOwnKey(t *testing.T) {
	policy := &keys{HostSelectionPolicy: gocql.RoundRobinHostPolicy()}
	s := serve(t, &script{params: params, keys: []uint16{0}, execute: func(*message.Execute) message.Message { return &message.VoidResult{} }},
		func(c *gocql.ClusterConfig) { c.PoolConfig.HostSelectionPolicy = policy })
	var r driver.Repeated
	for i := range byte(3) {
		require.NoError(t, r.Exec(t.Context(), s, &driver.Statement{CQL: insert, Args: []any{int(i), "v"}}))
		require.Equal(t, []byte{0, 0, 0, i}, policy.last.get())
	}
}

// attempts are what an observer is told of requests: which attempt each is, and how
// many its query has made.
type attempts struct{ seen shared[[][2]int] }

func (a *attempts) ObserveQuery(_ context.Context, q gocql.ObservedQuery) {
	a.seen.set(append(a.seen.get(), [2]int{q.Attempt, q.Metrics.Attempts}))
}

func TestAnObserverSeesFirstAttemptsOnly(t *testing.T) {
	seen := &attempts{}
	answers := &script{params: params, keys: []uint16{0}, execute: func(*message.Execute) message.Message { return &message.VoidResult{} }}
	s := serve(t, answers, func(c *gocql.ClusterConfig) { c.QueryObserver = seen })
	require.True(t, driver.Observed(s.Unwrap()))
	var r driver.Repeated
	for range 3 {
		require.NoError(t, r.Exec(t.Context(), s, &driver.Statement{CQL: insert, Args: []any{1, "v"}}))
	}
	require.Equal(t, [][2]int{{0, 1}, {0, 1}, {0, 1}}, seen.seen.get())
}

func TestASessionWithoutAnObserverMakesOneQueryForMany(t *testing.T) {
	s := serve(t, &script{params: params, keys: []uint16{0}, execute: func(*message.Execute) message.Message { return &message.VoidResult{} }})
	require.False(t, driver.Observed(s.Unwrap()))
	st := driver.Statement{CQL: insert, Args: driver.Bind(nil, []driver.Value{{Bytes: []byte{0, 0, 0, 1}}, {Bytes: []byte("v")}})}
	var r driver.Repeated
	again := testing.AllocsPerRun(200, func() { require.NoError(t, r.Exec(t.Context(), s, &st)) })
	anew := testing.AllocsPerRun(200, func() { require.NoError(t, s.Exec(t.Context(), st)) })
	require.Less(t, again, anew-5, "allocations of a request")
}
