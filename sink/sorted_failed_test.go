package sink_test

import (
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// keysOfHalf returns n keys, in the order of their tokens, that all are below 0 or all are not.
func keysOfHalf(n int, below bool) (keys []int64) {
	for k := int64(0); len(keys) < n; k++ {
		if (ring.Token(binary.BigEndian.AppendUint64(nil, uint64(k))) < 0) == below {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b int64) int {
		token := func(k int64) int64 { return ring.Token(binary.BigEndian.AppendUint64(nil, uint64(k))) }
		if token(a) < token(b) {
			return -1
		}
		return 1
	})
	return keys
}

type timedEvent struct {
	at  time.Duration // since the start
	row event
}

// atTimes is a source of rows that come at these times, one a page. It ends with err at the time
// end.
func atTimes(name string, start time.Time, end time.Duration, err error, rows ...timedEvent) rxcql.Stream[event] {
	return source.SeqFrom(name, func(from int64) iter.Seq2[event, error] {
		return func(yield func(event, error) bool) {
			for _, r := range rows[from:] {
				time.Sleep(r.at - time.Since(start))
				if !yield(r.row, nil) {
					return
				}
			}
			time.Sleep(end - time.Since(start))
			if err != nil {
				yield(event{}, err)
			}
		}
	}, source.PageRows(1))
}

// An input of a Merge fails while Write waits for room for rows that were sorted. Another input
// does not end for a while, so the run does not, and the goroutine that lets rows linger goes on.
func TestNoPageIsSettledBeforeItsRowsThoughWriteWasGivenUpInTheMiddle(t *testing.T) {
	const second = time.Second
	nodes, replication := keyspaceOf(2)
	low, high := keysOfHalf(2, true), keysOfHalf(4, false)
	store := &jobtest.Store{}
	var mu sync.Mutex
	written := map[int64]bool{}
	for try := range 2 {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Duration(try) * time.Hour) // each bubble begins at the same time
			start := time.Now()
			server := sink.Server(func(ctx context.Context, s sink.Sent) error {
				wait, broke := time.Millisecond, error(nil)
				for key := range keysOf(s) {
					k := int64(binary.BigEndian.Uint64([]byte(key)))
					if try == 0 && slices.Contains(low, k) {
						wait = 4 * second
					}
					if try == 0 && k == low[1] {
						broke = errors.New("the server broke")
					}
				}
				select {
				case <-time.After(wait):
				case <-ctx.Done():
					return ctx.Err()
				}
				mu.Lock()
				defer mu.Unlock()
				for key := range keysOf(s) {
					if broke == nil {
						written[int64(binary.BigEndian.Uint64([]byte(key)))] = true
					}
				}
				return broke
			})
			var failure error
			if try == 0 {
				failure = errors.New("an input failed")
			}
			large := strings.Repeat("x", 20<<10)
			slow := atTimes("slow", start, 20*second, nil, timedEvent{0, event{P: low[0], V: strings.Repeat("x", 250<<10)}},
				timedEvent{second / 10, event{P: high[0]}}, timedEvent{second / 10, event{P: high[1]}})
			rows := atTimes("rows", start, 3*second, nil, timedEvent{2 * second, event{P: low[1], V: "the row"}},
				timedEvent{21 * second / 10, event{P: high[2], V: large}}, timedEvent{22 * second / 10, event{P: high[3], V: large}})
			fails := atTimes("fails", start, 3*second, failure)
			var sinks []rxcql.Sink[event]
			for i := range 8 { // the others are idle, and have their parts of what may wait
				about := events()
				about.ID += strings.Repeat("a", i)
				sinks = append(sinks, sink.TableOnNodes[event](server, about, nodes, replication, sink.BatchByReplicaSet(2, 5<<10), sink.SortByToken(), sink.InFlight(4)))
			}
			p, err := rxcql.New(operators.Merge(slow, rows, fails), sink.Route(func(event) int { return 0 }, sinks...),
				rxcql.WithCheckpoint(store, "job"), rxcql.WithBudget(1<<20))
			require.NoError(t, err)
			rep, err := p.Run(context.Background())
			require.Equal(t, try == 1, rep.Complete, "%v", err)
			require.Zero(t, rep.BytesInFlight)
		})
	}
	for _, k := range append(low, high...) {
		require.True(t, written[k], "row %d is lost", k)
	}
}
