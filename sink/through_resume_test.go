package sink_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// place is a row: where it comes from.
type place struct {
	source    string
	part, row int
}

var errCutOff = errors.New("broken")

// breaker fails the run, stops it or cancels it at one of its calls.
type breaker struct {
	left   atomic.Int64
	how    string
	stop   func()
	cancel context.CancelCauseFunc
	mu     sync.Mutex // guards what the sinks keep
}

func (b *breaker) call() error {
	if b.left.Add(-1) == 0 {
		switch b.how {
		case "fails":
			return errCutOff
		case "panics":
			panic(errCutOff)
		case "stops":
			b.stop()
		case "is cancelled":
			b.cancel(errCutOff)
		}
	}
	return nil
}

// keeps is a sink that remembers its rows from run to run.
func (b *breaker) keeps(rows map[place]bool, opts ...sink.EachOption) rxcql.Sink[place] {
	return sink.Each(func(_ context.Context, row place) error {
		if err := b.call(); err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		rows[row] = true
		return nil
	}, append(opts, sink.Idempotent())...)
}

// chain is a random chain of operators, and whether it hands a row on.
func (b *breaker) chain(rt *rapid.T, what string) (fn func(rxcql.Stream[place]) rxcql.Stream[place], keeps func(place) bool) {
	verbs := rapid.SliceOfN(rapid.SampledFrom([]string{"Map", "Filter", "MapConcurrent", "Unordered", "Merge", "timed Batch"}), 0, 3).Draw(rt, what)
	third := func(p place) bool { return p.row%3 != 0 }
	work := func(_ context.Context, p place) (place, error) {
		time.Sleep(time.Duration(p.row%4) * 20 * time.Microsecond)
		return p, b.call()
	}
	filters := slices.Contains(verbs, "Filter")
	fn = func(s rxcql.Stream[place]) rxcql.Stream[place] {
		for _, verb := range verbs {
			switch verb {
			case "Map":
				s = operators.Map(s, func(p place) (place, error) { return p, b.call() })
			case "Filter":
				s = operators.Filter(s, third)
			case "MapConcurrent":
				s = operators.MapConcurrent(s, 4, work)
			case "Unordered":
				s = operators.MapConcurrent(s, 4, work, operators.Unordered())
			case "Merge":
				s = operators.Merge(s)
			case "timed Batch":
				s = operators.FlatMap(operators.Batch(s, operators.BatchRows(5), operators.BatchLinger(50*time.Microsecond)),
					func(rows []place, emit func(place) bool) error {
						for _, row := range rows {
							emit(row)
						}
						return b.call()
					})
			}
		}
		return s
	}
	return fn, func(p place) bool { return !filters || third(p) }
}

func somePlaces(rt *rapid.T, source string) *jobtest.Parts[place] {
	parts := &jobtest.Parts[place]{Name: source, PageRows: rapid.IntRange(1, 9).Draw(rt, "page"), Seed: rapid.Uint64().Draw(rt, "order")}
	for part := range rapid.IntRange(1, 3).Draw(rt, "parts") {
		rows := []place{}
		for row := range rapid.IntRange(0, 40).Draw(rt, "rows") {
			rows = append(rows, place{source, part, row})
		}
		parts.Rows = append(parts.Rows, rows)
	}
	return parts
}

// settledPlaces are the rows that a checkpoint takes for done with.
func settledPlaces(rt *rapid.T, store *jobtest.Store, sources map[string]*jobtest.Parts[place]) (settled []place) {
	state, err := store.State("job")
	require.NoError(rt, err)
	for _, src := range state.Sources {
		rows, err := sources[src.Stage].Settled(src)
		require.NoError(rt, err)
		settled = append(settled, rows...)
	}
	return settled
}

func TestWhatAJobTakesForSettledIsInEveryBranchOfATeeWhereverItIsBrokenOff(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b, store := &breaker{}, &jobtest.Store{}
		sources := map[string]*jobtest.Parts[place]{"First": somePlaces(rt, "First"), "Second": somePlaces(rt, "Second")}
		before, reaches := b.chain(rt, "before")
		inside, keeps := b.chain(rt, "inside")
		all, some := map[place]bool{}, map[place]bool{}
		in := before(operators.Merge(sources["First"].Stream(), sources["Second"].Stream()))
		to := sink.Tee(b.keeps(all), sink.Through(inside, b.keeps(some, sink.InFlight(rapid.IntRange(1, 3).Draw(rt, "in flight")))))

		for runs, complete := 0, false; !complete; runs++ {
			b.left.Store(0)
			if runs < 10 { // an end must come
				b.left.Store(int64(rapid.IntRange(1, 300).Draw(rt, "broken off at")))
				b.how = rapid.SampledFrom([]string{"fails", "panics", "stops", "is cancelled"}).Draw(rt, "how")
			}
			p, err := rxcql.New(in, to, rxcql.WithCheckpoint(store, "job"))
			require.NoError(rt, err)
			ctx, cancel := context.WithCancelCause(context.Background())
			b.stop, b.cancel = p.Stop, cancel
			rep, err := p.Run(ctx)
			cancel(nil)
			require.Zero(rt, rep.BytesInFlight)
			for _, row := range settledPlaces(rt, store, sources) {
				require.Equal(rt, reaches(row), all[row], "%v counts as settled", row)
				require.Equal(rt, reaches(row) && keeps(row), some[row], "%v counts as settled", row)
			}
			if b.left.Load() > 0 || runs >= 10 { // nothing has happened to it
				require.NoError(rt, err)
				require.True(rt, rep.Complete)
			}
			if err != nil {
				require.ErrorIs(rt, err, errCutOff)
			}
			complete = rep.Complete
		}
		for _, parts := range sources {
			for _, rows := range parts.Rows {
				for _, row := range rows {
					require.Equal(rt, reaches(row), all[row])
					require.Equal(rt, reaches(row) && keeps(row), some[row])
				}
			}
		}
	})
}
