package operators_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// everyThird has every third look-up fail in a way that may pass; silent adds those that no answer
// comes to.
func everyThird(server *cqlfake.Server, silent bool) {
	kinds := []*cqlfake.Reply{
		cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"}),
		cqlfake.Fail(&message.ReadTimeout{ErrorMessage: "late", Consistency: primitive.ConsistencyLevelQuorum}),
		cqlfake.Fail(&message.Unavailable{ErrorMessage: "too few", Consistency: primitive.ConsistencyLevelQuorum}),
		cqlfake.Fail(&message.ServerError{ErrorMessage: "oh"}),
	}
	if silent {
		kinds = append(kinds, cqlfake.Silence())
	}
	asked := 0
	server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if !r.Reads("shop.customers") {
			return nil
		}
		if asked++; asked%3 == 0 {
			return kinds[asked/3%len(kinds)]
		}
		return nil
	})
}

func TestALookupThatFailsInAWayThatMayPassIsRepeatedAndCostsNoRow(t *testing.T) {
	for _, try := range []struct {
		timeout time.Duration // with one request in flight alone, see cqlfake.Server.Cluster
		opts    []operators.LookupOption
	}{
		{0, []operators.LookupOption{operators.LookupInFlight(16)}},
		{0, []operators.LookupOption{operators.LookupInFlight(16), operators.Unordered()}},
		{time.Minute, []operators.LookupOption{operators.LookupInFlight(1)}},
		{time.Minute, []operators.LookupOption{operators.LookupInFlight(1), operators.Unordered()}},
	} {
		inShopWithin(t, try.timeout, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
			everyThird(server, try.timeout > 0)
			sink := &gather[string]{}
			p, err := rxcql.New(names(count(200, 30), session, try.opts...), sink, rxcql.WithRetry(time.Hour, 0))
			require.NoError(t, err)
			rep, err := p.Run(t.Context())
			require.NoError(t, err)
			require.ElementsMatch(t, wantNames(upTo(200)), sink.rows())
			require.EqualValues(t, asked(server)-200, rep.Retried)
			require.Greater(t, rep.Retried, int64(50))
		})
	}
}

func TestALookupThatKeepsFailingEndsTheRunUnderEveryPolicy(t *testing.T) {
	for name, policy := range map[string]rxcql.RowErrorPolicy{
		"fail": rxcql.FailOnRowError(), "skip": rxcql.SkipRows(1 << 40), "letters": rxcql.DeadLetter(&jobtest.Letters{}),
	} {
		inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
			server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
				if r.Reads("shop.customers") {
					return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
				}
				return nil
			})
			var rows int
			rep, err := names(count(10, 3), session).ForEach(t.Context(), func(string) error { rows++; return nil },
				rxcql.WithRetry(time.Minute, 4), rxcql.WithRowErrors(policy))
			var stage *rxcql.StageError
			require.ErrorAs(t, err, &stage, name)
			require.Equal(t, "Lookup", stage.Stage)
			var tried *rxcql.RetryError
			require.ErrorAs(t, err, &tried)
			require.Equal(t, 4, tried.Attempts)
			require.Zero(t, rows)
			require.Zero(t, rep.Skipped+rep.DeadLettered)
			require.True(t, rxcql.MayPass(err))
		})
	}
}

func TestFewerLookupsAreOutWhileTheServerHasTooMuchToDo(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		var mu sync.Mutex
		var limits []int
		hooks := rxcql.Hooks{InFlightLimit: func(_ context.Context, e rxcql.LimitEvent) {
			mu.Lock()
			defer mu.Unlock()
			require.Equal(t, "Lookup", e.Stage)
			limits = append(limits, e.Limit)
		}}
		stop := server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Reads("shop.customers") {
				return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"}).After(time.Second)
			}
			return nil
		})
		time.AfterFunc(4*time.Second, stop)
		got := collect(t, names(count(3000, 100), session, operators.LookupInFlight(64)), rxcql.WithHooks(hooks))
		require.Equal(t, wantNames(upTo(3000)), got)
		require.Equal(t, []int{32, 16}, limits[:2])
		require.Equal(t, 64, limits[len(limits)-1], "it grows again")
	}, cqlfake.Latency(10*time.Millisecond))
}

func TestAPanicOrExitOfAFunctionOfALookupIsAnError(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		boom := errors.New("boom")
		for name, end := range map[string]func(){"panic": func() { panic(boom) }, "exit": runtime.Goexit} {
			for _, opts := range [][]operators.LookupOption{nil, {operators.LookupCache(1<<20, time.Hour)}} {
				at := func(n, when int) int {
					if n == when {
						end()
					}
					return n
				}
				rows := numbersOf(append(repeated(100, 10), 42))
				for what, s := range map[string]rxcql.Stream[int]{
					"bind": operators.Lookup(rows, session, nameOfCustomer, func(n int) ([]any, error) { return byID(at(n, 42)) },
						func(n int, _ operators.Found[string]) (int, error) { return n, nil }, opts...),
					"join": operators.Lookup(rows, session, nameOfCustomer, byID,
						func(n int, _ operators.Found[string]) (int, error) { return at(n, 42), nil }, opts...),
				} {
					_, err := s.Count(t.Context())
					require.Error(t, err, "%s in %s", name, what)
					if name == "panic" {
						require.ErrorIs(t, err, rxcql.ErrPanic)
						require.ErrorIs(t, err, boom)
						failedIn(t, "Lookup", err)
					}
				}
			}
		}
	})
}

func TestHooksAreToldOfLookups(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		server.ControlOnce(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Reads("shop.customers") {
				return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
			}
			return nil
		})
		var mu sync.Mutex
		var ends []rxcql.FetchEvent
		started := 0
		type key struct{}
		hooks := rxcql.Hooks{
			FetchStart: func(ctx context.Context, _ rxcql.FetchEvent) context.Context {
				mu.Lock()
				defer mu.Unlock()
				started++
				return context.WithValue(ctx, key{}, started)
			},
			FetchEnd: func(ctx context.Context, e rxcql.FetchEvent) {
				mu.Lock()
				defer mu.Unlock()
				require.NotNil(t, ctx.Value(key{}))
				ends = append(ends, e)
			},
		}
		collect(t, names(numbersOf([]int{1, 2, 3}), session, operators.LookupInFlight(1), operators.LookupConsistency(gocql.LocalOne)), rxcql.WithHooks(hooks))
		require.Equal(t, 4, started)
		require.Len(t, ends, 4)
		for i, e := range ends {
			require.Equal(t, "Lookup", e.Stage)
			require.Equal(t, "shop.customers", e.Keyspace+"."+e.Table)
			require.Equal(t, "LOCAL_ONE", e.Consistency)
			require.Zero(t, e.Page)
			require.Empty(t, e.Part)
			require.Equal(t, 1+btoi(i == 1), e.Attempt)
		}
		require.Error(t, ends[0].Err)
		require.Equal(t, "overloaded", ends[0].ErrorType)
		require.Equal(t, 1, ends[1].Rows)
		require.EqualValues(t, len("customer 1"), ends[1].Bytes)
		require.NotEmpty(t, ends[1].Host)
		require.Zero(t, ends[3].Rows, "customer 3 is not there")
	})
}

func TestALookupHoldsNoMoreRowsThanItSays(t *testing.T) {
	for most, opts := range map[int][]operators.LookupOption{4 * 5: nil, 2 * 5: {operators.Unordered()}} {
		inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
			held := make(chan struct{})
			stop := server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
				if r.Reads("shop.customers") && (len(opts) > 0 || r.Statements[0].Values[0].Bytes[3] == 0) {
					return cqlfake.Tables().When(held) // in order the first one holds up all others
				}
				return nil
			})
			var read atomic.Int64
			in := operators.Tap(count(100, 1), func(int) error { read.Add(1); return nil })
			done := make(chan error)
			go func() {
				_, err := names(in, session, append(opts, operators.LookupInFlight(5))...).Count(context.Background())
				done <- err
			}()
			synctest.Wait()
			require.LessOrEqual(t, read.Load(), int64(most+2))
			require.GreaterOrEqual(t, read.Load(), int64(most))
			stop()
			close(held)
			require.NoError(t, <-done)
		})
	}
}
