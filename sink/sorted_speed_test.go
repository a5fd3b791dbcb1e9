package sink_test

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// inTurn is a source of so many rows, each of a partition of its own.
func inTurn(n int, opts ...source.SeqOption) rxcql.Stream[event] {
	return source.SeqFrom("events", func(from int64) iter.Seq2[event, error] {
		return func(yield func(event, error) bool) {
			for i := int(from); i < n; i++ {
				if !yield(event{P: int64(i), V: "v"}, nil) {
					return
				}
			}
		}
	}, opts...)
}

// after is a server that takes so long for a request. Time is that of a bubble: only waits take
// any.
func after(latency time.Duration) func(context.Context, sink.Sent) error {
	return func(context.Context, sink.Sent) error { time.Sleep(latency); return nil }
}

// A job reads 64 pages beyond the first that is not settled. Then only the goroutine that lets rows
// linger sends.
func TestAJobThatSortsTakesNoLongerThanOneThatDoesNot(t *testing.T) {
	for _, partitions := range []int{10, 100} {
		for _, flight := range []int{1, 4, 64} {
			t.Run(fmt.Sprintf("%d partitions, %d in flight", partitions, flight), func(t *testing.T) {
				took := map[bool]time.Duration{}
				for _, sorted := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						opts := []sink.TableOption{sink.BatchByReplicaSet(partitions, 48<<10), sink.InFlight(flight)}
						if sorted {
							opts = append(opts, sink.SortByToken())
						}
						rep, err := run(t, inTurn(80_000), sink.TableOn[event](sink.Server(after(time.Millisecond)), events(), opts...), checkpointed(filepath.Join(t.TempDir(), "f")))
						require.NoError(t, err)
						require.EqualValues(t, 80_000, rep.Written)
						took[sorted] = rep.Duration
					})
				}
				require.LessOrEqual(t, took[true], took[false]*5/4+20*time.Millisecond)
			})
		}
	}
}

// Each alone may keep a quarter of the budget. Together they would leave none for the source.
func TestSeveralTablesThatSortShareTheirPartOfTheBudget(t *testing.T) {
	took := map[int]time.Duration{}
	for _, tables := range []int{1, 4, 8} {
		synctest.Test(t, func(t *testing.T) {
			var sinks []rxcql.Sink[event]
			for range tables {
				sinks = append(sinks, sink.TableOn[event](sink.Server(after(time.Millisecond)), events(), byToken()...))
			}
			rep, err := run(t, inTurn(100_000), sink.Route(func(e event) int { return int(e.P) % tables }, sinks...), rxcql.WithBudget(4<<20))
			require.NoError(t, err)
			require.EqualValues(t, 100_000, rep.Written)
			took[tables] = rep.Duration
		})
	}
	for tables, each := range took {
		require.LessOrEqual(t, each, took[1]*5/4+20*time.Millisecond, "%d tables", tables)
	}
}

func TestRowsThatAreDueGoAsSoonAsAWorkerIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, busy := time.Now(), 3*time.Second
		var sent []time.Duration
		server := sink.Server(func(context.Context, sink.Sent) error {
			sent = append(sent, time.Since(start))
			time.Sleep(busy)
			busy = 0
			return nil
		})
		ch := make(chan event)
		go func() {
			for p := range int64(300) {
				ch <- event{P: p}
			}
			time.Sleep(5 * time.Minute)
			close(ch)
		}()
		_, err := run(t, source.Chan(ch), sink.TableOn[event](server, events(), byToken(sink.InFlight(1), sink.BatchLinger(time.Minute))...))
		require.NoError(t, err)
		require.Equal(t, []time.Duration{time.Second, 4 * time.Second, 4 * time.Second}, sent)
	})
}
