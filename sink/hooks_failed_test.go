package sink_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
)

func TestTheHalvesOfARefusedRequestAreRequestsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		server := func(_ context.Context, s sink.Sent) error {
			for _, r := range s.Rows {
				if r.Index == 2 {
					return invalid{}
				}
			}
			return nil
		}
		rep, err := run(t, sequence(partitions(1, 4)...), sink.TableOn[event](server, events()), h.hooks(),
			rxcql.WithRowErrors(rxcql.SkipRows(1)))
		require.NoError(t, err)
		require.EqualValues(t, []int64{3, 1}, []int64{rep.Written, rep.Skipped})
		var rows, written int
		var bytes []int64
		var kinds []string
		for _, e := range h.ends {
			require.Equal(t, 1, e.Attempt)
			bytes = append(bytes, e.Bytes/int64(e.Rows))
			kinds = append(kinds, e.ErrorType)
			if rows += e.Rows; e.Err == nil {
				written += e.Rows
			}
		}
		require.Equal(t, []string{"invalid", "", "invalid", "invalid", ""}, kinds, "all, 0 and 1, 2 and 3, 2, 3")
		require.Equal(t, 4+2+2+1+1, rows)
		require.EqualValues(t, rep.Written, written)
		for _, each := range bytes {
			require.Equal(t, bytes[0], each, "the bytes of its own rows")
		}
		require.Empty(t, h.retries)
	})
}

func TestARequestThatIsCutOffHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		server := func(ctx context.Context, _ sink.Sent) error { // which has the grace period
			<-ctx.Done()
			return context.Cause(ctx)
		}
		p, err := rxcql.New(sequence(partitions(3, 100)...), sink.TableOn[event](server, events()), h.hooks(), rxcql.WithGrace(time.Minute))
		require.NoError(t, err)
		_, err = p.Run(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.Len(t, h.starts, 3)
		require.Len(t, h.ends, 3)
		for _, e := range h.ends {
			require.Equal(t, []any{"cancelled", time.Minute + time.Second}, []any{e.ErrorType, e.Duration})
		}
	})
}

// Whoever waits for room is not left to wait for the grace period.
func TestAHookThatEndsItsGoroutineTakesNoRoomAlong(t *testing.T) {
	for name, hooks := range map[string]func(exit func()) rxcql.Hooks{
		"before a request": func(exit func()) rxcql.Hooks {
			return rxcql.Hooks{WriteStart: func(ctx context.Context, _ rxcql.WriteEvent) context.Context { exit(); return ctx }}
		},
		"after one": func(exit func()) rxcql.Hooks {
			return rxcql.Hooks{WriteEnd: func(context.Context, rxcql.WriteEvent) { exit() }}
		},
		"at a limit": func(exit func()) rxcql.Hooks {
			return rxcql.Hooks{InFlightLimit: func(context.Context, rxcql.LimitEvent) { exit() }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent, told atomic.Int64
				exit := func() {
					if told.Add(1) == 1 {
						runtime.Goexit()
					}
				}
				server := func(context.Context, sink.Sent) error {
					if time.Sleep(time.Second); sent.Add(1) == 1 {
						return overloaded // from here on there is room for one, which the other has
					}
					time.Sleep(time.Second)
					return nil
				}
				start := time.Now()
				_, err := run(t, sequence(partitions(8, 100)...), sink.TableOn[event](server, events(), sink.InFlight(2)),
					rxcql.WithGrace(time.Hour), rxcql.WithHooks(hooks(exit)))
				require.ErrorContains(t, err, "Goexit")
				require.Less(t, time.Since(start), time.Minute)
			})
		})
	}
}

func TestTheTimeOfARequestIsWithoutHooksAndLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		wait := func() { time.Sleep(time.Minute) }
		slow := rxcql.WithHooks(rxcql.Hooks{
			WriteStart:    func(ctx context.Context, _ rxcql.WriteEvent) context.Context { wait(); return ctx },
			InFlightLimit: func(context.Context, rxcql.LimitEvent) { wait() },
		})
		sent := 0
		server := func(context.Context, sink.Sent) error {
			if sent++; sent == 1 {
				time.Sleep(time.Second)
				return overloaded
			}
			time.Sleep(time.Second)
			return nil
		}
		_, err := run(t, sequence(partitions(1, 100)...), sink.TableOn[event](server, events(), sink.InFlight(4)), h.hooks(), slow)
		require.NoError(t, err)
		require.Len(t, h.limits, 1)
		require.Len(t, h.ends, 2)
		for _, e := range h.ends {
			require.Equal(t, time.Second, e.Duration)
		}
	})
}

func TestHooksMayAskForProgressWhileALimitChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *rxcql.Pipeline
		var asked atomic.Int64
		server := func(context.Context, sink.Sent) error {
			if asked.Load() == 0 {
				return overloaded
			}
			return nil
		}
		p, err := rxcql.New(sequence(partitions(3, 100)...), sink.TableOn[event](server, events()), rxcql.WithHooks(rxcql.Hooks{
			InFlightLimit: func(context.Context, rxcql.LimitEvent) {
				asked.Add(1)
				require.Positive(t, p.Progress().Budget)
				p.Stop()
			},
		}))
		require.NoError(t, err)
		_, err = p.Run(t.Context())
		require.NoError(t, err)
		require.Positive(t, asked.Load())
	})
}
