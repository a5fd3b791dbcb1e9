package sink_test

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
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

var endSeeds = flag.Int("sink.ends", 300, "seeds of TestAStageEndsRandomStreamsAsItShouldOrNot")

// endedOps puts n operators behind a stream.
func endedOps(r *rand.Rand, s rxcql.Stream[event], n int, inSink bool) rxcql.Stream[event] {
	same := func(e event) (event, error) { return e, nil }
	kinds := 9
	if inSink {
		kinds = 8
	}
	for range n {
		switch r.IntN(kinds) {
		case 0:
			s = operators.Map(s, widened)
		case 1:
			s = operators.Buffer(s, 1+r.IntN(30), rxcql.OverflowBlock)
		case 2:
			s = operators.FlatMap(operators.Batch(s, operators.BatchRows(1+r.IntN(9))), eachOf)
		case 3:
			s = operators.MapConcurrent(s, 1+r.IntN(5), func(_ context.Context, e event) (event, error) {
				time.Sleep(100 * time.Millisecond)
				return e, nil
			})
		case 4:
			s = operators.Timeout(s, 100*time.Hour)
		case 5:
			s = operators.Filter(s, func(event) bool { return true })
		case 6:
			s = operators.Lanes(s, 1+r.IntN(3), func(e event) int64 { return e.P }, func(s rxcql.Stream[event]) rxcql.Stream[event] {
				return operators.Map(s, same)
			})
		case 7:
			s = operators.Throttle(s, rxcql.NewRate(rxcql.RowsPerSecond(float64(5+r.IntN(50)))))
		case 8:
			s = operators.Retry(s, operators.RetryIf(func(error) bool { return true }))
		}
	}
	return s
}

// endedSinks makes sinks which tell note of the rows that they have written.
type endedSinks struct {
	r      *rand.Rand
	note   func(int64)
	tables int
}

func (s *endedSinks) sink(depth int) rxcql.Sink[event] {
	if depth > 0 {
		switch s.r.IntN(3) {
		case 0:
			var all []rxcql.Sink[event]
			for range 1 + s.r.IntN(3) {
				all = append(all, s.sink(depth-1))
			}
			return sink.Route(func(e event) int { return int(e.P) % len(all) }, all...)
		case 1:
			return sink.Tee(s.sink(depth-1), sink.Each(func(context.Context, event) error { return nil }, sink.Idempotent()))
		case 2:
			ops, seed := s.r.IntN(3), s.r.Uint64()
			return sink.Through(func(in rxcql.Stream[event]) rxcql.Stream[event] {
				return endedOps(rand.New(rand.NewPCG(seed, 2)), in, ops, true)
			}, s.sink(depth-1))
		}
	}
	wait := []time.Duration{0, time.Millisecond, 300 * time.Millisecond}[s.r.IntN(3)]
	each := func(_ context.Context, e event) error { time.Sleep(wait); s.note(e.P); return nil }
	switch s.r.IntN(4) {
	case 0:
		return sink.Each(each, sink.Idempotent(), sink.InFlight(1+s.r.IntN(4)))
	case 1:
		return sink.Each(each, sink.Idempotent())
	}
	s.tables++
	about := events()
	about.ID = fmt.Sprint(about.ID, s.tables)
	opts := []sink.TableOption{sink.InFlight(1 + s.r.IntN(3)), sink.BatchRows(1 + s.r.IntN(20))}
	if s.r.IntN(2) == 0 {
		opts = byToken(opts...)
	}
	return sink.TableOn[event](func(_ context.Context, sent sink.Sent) error {
		time.Sleep(wait)
		for key := range keysOf(sent) {
			s.note(int64(binary.BigEndian.Uint64([]byte(key))))
		}
		return nil
	}, about, opts...)
}

// A stage ends random streams in front of random sinks, rightly or not. A right end is no failure,
// and what was handed on is written. Where the run has failed, the next one writes all rows that it
// has not.
func TestAStageEndsRandomStreamsAsItShouldOrNot(t *testing.T) {
	const rows = 400
	failedRuns := 0
	for seed := range uint64(*endSeeds) {
		r := rand.New(rand.NewPCG(seed, 99))
		flip := func() bool { return r.IntN(2) == 0 }
		e := &ender{careful: flip(), inner: r.IntN(4) > 0, wraps: flip(), says: flip(), swallows: flip()}
		first := time.Duration(1+r.IntN(20_000)) * time.Millisecond
		pageRows, budget := []int{1, 3, 20, 500}[r.IntN(4)], 4*rxcql.MinBudgetPerInput<<r.IntN(4)
		opsSeed, store := r.Uint64(), &jobtest.Store{}
		var mu sync.Mutex
		written := map[int64]bool{}
		note := func(p int64) { mu.Lock(); written[p] = true; mu.Unlock() }
		run := func(t *testing.T, after time.Duration) (rxcql.Report, error) {
			e.after, e.handed = after, map[int64]bool{}
			r := rand.New(rand.NewPCG(opsSeed, 1))
			in := endedOps(r, inTurn(rows, source.PageRows(pageRows)), r.IntN(3), false)
			in = endedOps(r, e.stream(in), r.IntN(4), false)
			to := (&endedSinks{r: r, note: note}).sink(r.IntN(3))
			rep, err := rxcql.Run(t.Context(), in, to, rxcql.WithCheckpoint(store, "job"), rxcql.WithBudget(budget))
			require.Zero(t, rep.BytesInFlight, "seed %d: %v", seed, err)
			return rep, err
		}
		failed := false
		synctest.Test(t, func(t *testing.T) {
			rep, err := run(t, first)
			if errors.Is(err, rxcql.ErrConfig) || errors.Is(err, rxcql.ErrNotResumable) {
				return // this chain cannot be made
			}
			if failed = err != nil; failed {
				failedRuns++
				require.False(t, e.careful || !e.inner, "seed %d: a right end is refused: %v", seed, err)
				return
			}
			require.True(t, rep.EndedBy != "" || rep.Complete, "seed %d", seed)
			for p := range e.handed {
				require.True(t, written[p], "seed %d: row %d was handed on, is not written, and the run went well", seed, p)
			}
		})
		if !failed {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(10 * time.Hour) // each bubble begins at the same time
			_, err := run(t, 1000*time.Hour)
			require.NoError(t, err, "seed %d", seed)
		})
		require.Equal(t, rows, len(written), "seed %d", seed) //nolint:testifylint // Len prints them all
	}
	require.NotZero(t, failedRuns)
}
