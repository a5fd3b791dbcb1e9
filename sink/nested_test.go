package sink_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// A function of MapConcurrent runs a job of its own, in the context that it was given. What is
// behind ends the outer stream meanwhile: that is no end of the job's own stream.
func TestAJobInsideOfAStreamThatEndsIsNotSettledByThat(t *testing.T) {
	for _, how := range []string{"Each", "Each in flight", "Each through Map"} {
		for _, says := range []bool{false, true} { // the job's function returns what ended the outer stream
			t.Run(fmt.Sprint(how, says), func(t *testing.T) {
				store := &jobtest.Store{}
				var mu sync.Mutex
				handled := map[int64]bool{}
				job := func(ctx context.Context) (rxcql.Report, error) {
					fn := func(_ context.Context, e event) error {
						time.Sleep(time.Second)
						if says && ctx.Err() != nil {
							return context.Cause(ctx)
						}
						mu.Lock()
						defer mu.Unlock()
						handled[e.P] = true
						return nil
					}
					to := sink.Each(fn, sink.Idempotent())
					switch how {
					case "Each in flight":
						to = sink.Each(fn, sink.Idempotent(), sink.InFlight(3))
					case "Each through Map":
						to = sink.Through(func(s rxcql.Stream[event]) rxcql.Stream[event] {
							return operators.Map(s, func(e event) (event, error) { return e, nil })
						}, to)
					}
					return rxcql.Run(ctx, inTurn(100, source.PageRows(10)), to, rxcql.WithCheckpoint(store, "job"))
				}
				synctest.Test(t, func(t *testing.T) {
					outer := operators.MapConcurrent(source.Of(0, 1, 2), 3, func(ctx context.Context, i int) (int, error) {
						if i == 1 {
							rep, err := job(ctx)
							require.ErrorContains(t, err, "the stream of the run in which this one was begun has ended on purpose")
							require.Empty(t, rep.EndedBy)
							return 0, err
						}
						time.Sleep(15*time.Second + time.Millisecond)
						return i, nil
					})
					rep, err := rxcql.Run(t.Context(), operators.TakeWhile(outer, func(int) bool { return false }),
						sink.Each(func(context.Context, int) error { return nil }))
					require.NoError(t, err)
					require.Equal(t, "TakeWhile", rep.EndedBy)
				})
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Hour)
					rep, err := job(t.Context())
					require.NoError(t, err)
					require.True(t, rep.Complete)
				})
				require.Len(t, handled, 100)
			})
		}
	}
}
