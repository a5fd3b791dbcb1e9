package sink_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
)

// A function of the user's calls runtime.Goexit, as a test's FailNow does, in a goroutine that
// sends, or in the one that writes. Other rows are on their way.
func TestAFunctionThatExitsLeavesNothingCharged(t *testing.T) {
	var session *gocql.Session
	for name, to := range map[string]func(call func()) rxcql.Sink[event]{
		"a table's server, one in flight": func(call func()) rxcql.Sink[event] {
			return sink.TableOn[event](exiting(call), events(), sink.InFlight(1), sink.BatchRows(3))
		},
		"a table's server, some in flight": func(call func()) rxcql.Sink[event] {
			return sink.TableOn[event](exiting(call), events(), sink.InFlight(4))
		},
		"a server of a table that sorts": func(call func()) rxcql.Sink[event] {
			return sink.TableOn[event](exiting(call), events(), byToken(sink.InFlight(1), sink.BatchRows(3))...)
		},
		"TTLOf": func(call func()) rxcql.Sink[event] {
			return sink.TableOn[event](after(time.Second), events(), sink.TTLOf(func(event) time.Duration { call(); return time.Hour }))
		},
		"TTLOf of a table that sorts": func(call func()) rxcql.Sink[event] {
			return sink.TableOn[event](after(time.Second), events(), byToken(sink.TTLOf(func(event) time.Duration { call(); return time.Hour }))...)
		},
		"Each, in order": func(call func()) rxcql.Sink[event] {
			return sink.Each(func(context.Context, event) error { call(); return nil })
		},
		"Each, some in flight": func(call func()) rxcql.Sink[event] {
			return sink.Each(func(context.Context, event) error { time.Sleep(time.Second); call(); return nil }, sink.InFlight(3))
		},
		"Exec, which binds": func(call func()) rxcql.Sink[event] {
			return sink.Exec(session, "INSERT INTO ks.t (id) VALUES (?)", func(e event) ([]any, error) { call(); return []any{int(e.P)}, nil }, sink.InFlight(3))
		},
	} {
		for _, nth := range []int64{1, 2, 7, 40} {
			synctest.Test(t, func(t *testing.T) {
				server := cqlfake.New(t)
				server.Keyspace("ks", "t (id int PRIMARY KEY)")
				session = server.Session("ks")
				var calls atomic.Int64
				exit := func() {
					if calls.Add(1) == nth {
						runtime.Goexit()
					}
				}
				p, err := rxcql.New(inTurn(3000), to(exit), rxcql.WithBudget(rxcql.MinBudgetPerInput))
				require.NoError(t, err)
				rep, err := runOrExit(t.Context(), p)
				if err != errExit {
					require.ErrorContains(t, err, "Goexit", name)
				}
				require.GreaterOrEqual(t, calls.Load(), nth)
				require.False(t, rep.Complete)
				require.Zero(t, rep.BytesInFlight, "%s, %d: %v", name, nth, err)
			})
		}
	}
}

func exiting(call func()) func(context.Context, sink.Sent) error {
	return func(context.Context, sink.Sent) error { time.Sleep(time.Millisecond); call(); return nil }
}
