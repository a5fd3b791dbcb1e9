package driver_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"weak"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

const selectByKey = "SELECT v FROM ks.t WHERE k = ?"

func TestARepeatedStatementFetchesPagesWithItsOwnValuesSizeAndStateEachTime(t *testing.T) {
	var sent shared[*message.Execute]
	s := serve(t, &script{params: params[:1], results: one, keys: []uint16{0}, execute: func(e *message.Execute) message.Message {
		sent.set(e)
		return rows(one, e.Options.PagingState, message.Row{e.Options.PositionalValues[0].Contents})
	}})
	var r driver.Repeated
	for i, each := range []struct {
		size  int
		state []byte
	}{{2, nil}, {2, []byte("next")}, {100, nil}, {1, []byte("other")}, {2, nil}} {
		key := []byte{0, 0, 0, byte(i)}
		st := driver.Statement{CQL: selectByKey, Args: driver.Bind(nil, []driver.Value{{Bytes: key}})}
		p, err := r.Fetch(t.Context(), s, &st, each.size, each.state)
		require.NoError(t, err)
		got := sent.get().Options
		require.EqualValues(t, each.size, got.PageSize)
		require.Equal(t, string(each.state), string(got.PagingState))
		require.Equal(t, key, got.PositionalValues[0].Contents)
		require.False(t, got.SkipMetadata)
		require.Equal(t, each.state, p.Next())
		require.Equal(t, []string{string(key)}, values(t, p))
	}
	_, err := r.Fetch(t.Context(), s, &driver.Statement{CQL: selectByKey}, 0, nil)
	require.ErrorIs(t, err, driver.ErrPageSize)
}

func TestARepeatedStatementFetchesAfterAFetchThatFailed(t *testing.T) {
	fails := true
	s := serve(t, &script{params: params[:1], results: one, keys: []uint16{0}, execute: func(e *message.Execute) message.Message {
		if fails = !fails; !fails {
			return &message.Invalid{ErrorMessage: "not the text seven"}
		}
		return rows(one, nil, message.Row{[]byte("a")})
	}})
	st := driver.Statement{CQL: selectByKey, Args: driver.Bind(nil, []driver.Value{{Bytes: []byte{0, 0, 0, 7}}})}
	var r driver.Repeated
	for range 3 {
		_, err := r.Fetch(t.Context(), s, &st, 2, nil)
		require.Equal(t, driver.Invalid, driver.Classify(err))
		p, err := r.Fetch(t.Context(), s, &st, 2, nil)
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, values(t, p))
	}
	ended, end := context.WithCancelCause(t.Context())
	why := errors.New("why")
	end(why)
	_, err := r.Fetch(ended, s, &st, 2, nil)
	require.ErrorIs(t, err, why)
}

func TestARepeatedFetchKeepsNoValuesAndMakesOneQueryForMany(t *testing.T) {
	s := serve(t, &script{params: params[:1], results: one, keys: []uint16{0}, execute: func(*message.Execute) message.Message {
		return rows(one, nil, message.Row{[]byte("a")})
	}})
	var r driver.Repeated
	send := func() weak.Pointer[byte] {
		large := make([]byte, 1<<20)
		st := driver.Statement{CQL: selectByKey, Args: driver.Bind(nil, []driver.Value{{Bytes: large}})}
		_, err := r.Fetch(t.Context(), s, &st, 2, nil)
		require.NoError(t, err)
		return weak.Make(&large[0])
	}
	for i := range 3 {
		sent := send()
		runtime.GC()
		require.Nil(t, sent.Value(), fmt.Sprint("time ", i))
	}
	st := driver.Statement{CQL: selectByKey, Args: driver.Bind(nil, []driver.Value{{Bytes: []byte{0, 0, 0, 1}}})}
	again := testing.AllocsPerRun(200, func() {
		_, err := r.Fetch(t.Context(), s, &st, 2, nil)
		require.NoError(t, err)
	})
	anew := testing.AllocsPerRun(200, func() {
		_, err := s.Fetch(t.Context(), st, 2, nil)
		require.NoError(t, err)
	})
	require.Less(t, again, anew-5, "allocations of a request")
	runtime.KeepAlive(&r)
}

func TestAnObserverSeesEachFetchAsTheFirstAttemptOfItsQuery(t *testing.T) {
	seen := &attempts{}
	answers := &script{params: params[:1], results: one, keys: []uint16{0}, execute: func(*message.Execute) message.Message {
		return rows(one, nil, message.Row{[]byte("a")})
	}}
	s := serve(t, answers, func(c *gocql.ClusterConfig) { c.QueryObserver = seen })
	st := driver.Statement{CQL: selectByKey, Args: driver.Bind(nil, []driver.Value{{Bytes: []byte{0, 0, 0, 7}}})}
	var r driver.Repeated
	for range 3 {
		p, err := r.Fetch(t.Context(), s, &st, 2, nil)
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, values(t, p))
	}
	require.Equal(t, [][2]int{{0, 1}, {0, 1}, {0, 1}}, seen.seen.get())
}

func TestAPageIsNobodyElsesUntilItIsForgotten(t *testing.T) {
	s := serve(t, &script{params: params[:1], results: one, keys: []uint16{0}, execute: func(e *message.Execute) message.Message {
		return rows(one, nil, message.Row{e.Options.PositionalValues[0].Contents})
	}})
	var a, b driver.Repeated
	fetch := func(r *driver.Repeated, key string) *driver.Page {
		st := driver.Statement{CQL: selectByKey, Args: driver.Bind(nil, []driver.Value{{Bytes: []byte(key)}})}
		p, err := r.Fetch(t.Context(), s, &st, 2, nil)
		require.NoError(t, err)
		return p
	}
	for range 10 {
		fetch(&a, "of a")
		a.Forget()
		ofB := fetch(&b, "of b")
		a.Forget() // it has nothing by now, so this must not touch the page of b
		ofA := fetch(&a, "of a")
		require.NotSame(t, ofA, ofB)
		require.Equal(t, []string{"of b"}, values(t, ofB))
		require.Equal(t, []string{"of a"}, values(t, ofA))
	}
}
