package operators_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/sink"
)

// atOnce has Retry read again after errPasses, as often as need be and without a wait to speak of.
func atOnce() []operators.RetryOption {
	return []operators.RetryOption{operators.RetryAttempts(0), operators.RetryDelay(time.Nanosecond, time.Nanosecond)}
}

func TestInAJobRetryGoesOnAfterWhatIsSettled(t *testing.T) {
	parts := &jobtest.Parts[int]{PageRows: 1, Rows: [][]int{upTo(40)}}
	var written []int
	to := sink.Each(func(_ context.Context, n int) error { written = append(written, n); return nil }, sink.Idempotent())
	again := operators.Retry(failingAt(parts.Stream(), errPasses, 21, 22, 30), atOnce()...)
	rep, err := rxcql.Run(t.Context(), again, to, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Equal(t, upTo(40), written, "only the pages that failed come again")
	require.Equal(t, 40+3, parts.Read)
	require.EqualValues(t, 3, rep.PagesGivenUp)
	require.EqualValues(t, 3, rep.Retried)
	require.Zero(t, rep.ResumedRows, "no earlier run has settled any")
}

func TestInAJobStreamsThatAreDoneAreNotReadAgain(t *testing.T) {
	first := &jobtest.Parts[int]{Name: "First", PageRows: 3, Rows: [][]int{upTo(10), upTo(7)}}
	second := &jobtest.Parts[int]{Name: "Second", PageRows: 1, Rows: [][]int{upTo(10)}}
	to := sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent())
	again := operators.Retry(operators.Concat(first.Stream(), failingAt(second.Stream(), errPasses, 6)), atOnce()...)
	rep, err := rxcql.Run(t.Context(), again, to, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Equal(t, 17, first.Read)
	require.Equal(t, 10+1, second.Read)
}

func TestAJobThatIsStoppedWhileRetryWaitsGoesOnLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parts, store := &jobtest.Parts[int]{PageRows: 1, Rows: [][]int{upTo(40)}}, &jobtest.Store{}
		var written []int
		to := sink.Each(func(_ context.Context, n int) error { written = append(written, n); return nil }, sink.Idempotent())
		again := operators.Retry(failingAt(parts.Stream(), errPasses, 21), operators.RetryDelay(24*time.Hour, 24*time.Hour))
		p, err := rxcql.New(again, to, rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		time.AfterFunc(time.Hour, p.Stop)
		rep, err := p.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
		require.Equal(t, upTo(20), written)

		rep, err = p.Run(t.Context())
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Equal(t, upTo(40), written)
		require.EqualValues(t, 20, rep.ResumedRows)
	})
}

func TestASourceThatIsAnotherOneWhenItIsReadAgainEndsTheJob(t *testing.T) {
	for _, resumed := range []bool{false, true} {
		parts, store := &jobtest.Parts[int]{PageRows: 1, Rows: [][]int{upTo(9)}, Facts: []rxcql.Fact{{Name: "table id", Value: "a"}}}, &jobtest.Store{}
		to := sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent())
		fails := failingAt(parts.Stream(), errPasses, 5)
		if resumed {
			_, err := rxcql.Run(t.Context(), failingAt(parts.Stream(), errStays, 3), to, rxcql.WithCheckpoint(store, "job"))
			require.ErrorIs(t, err, errStays)
		}
		changing := operators.RetryIf(func(error) bool {
			parts.Facts[0].Value = "b" // dropped and made again
			return true
		})
		_, err := rxcql.Run(t.Context(), operators.Retry(fails, append(atOnce(), changing)...), to, rxcql.WithCheckpoint(store, "job"))
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
		require.ErrorContains(t, err, `table id was "a" and is "b"`)
	}
}

// settledIn has the rows that the last save counts as settled, and whether that was ever less.
type settledIn struct {
	rows      atomic.Int64
	backwards atomic.Bool
}

func (s *settledIn) hooks() rxcql.Hooks {
	return rxcql.Hooks{SaveEnd: func(_ context.Context, e rxcql.SaveEvent) {
		for _, src := range e.Sources {
			if s.rows.Swap(src.Rows) > src.Rows {
				s.backwards.Store(true)
			}
		}
	}}
}

func TestWhatSettlesBehindTheFailureMovesAPositionOnlyIfItIsNotReadAgain(t *testing.T) {
	for late, want := range map[bool]int64{false: 2, true: 0} {
		synctest.Test(t, func(t *testing.T) {
			script := rxcqltest.NewScript[int]().Page(1).Page(2).FailOnce(errPasses).Page(3)
			saves := &settledIn{}
			again := operators.Retry(script.Stream(), operators.RetryDelay(8*time.Second, 8*time.Second))
			probe := rxcqltest.NewProbe[int](t)
			probe.Hold()
			probe.Start(again, rxcql.WithCheckpoint(&jobtest.Store{}, "job"), rxcql.WithHooks(saves.hooks()))
			probe.ExpectRows(1, 2) // the script fails behind them, and they are not settled
			if late {
				time.Sleep(time.Minute) // the next attempt offers row 1
			}
			probe.LetGo()
			time.Sleep(3 * time.Second)
			require.Equal(t, want, saves.rows.Load(), "rows that a save counts as settled")
			if late {
				probe.ExpectRows(1, 2)
			}
			probe.ExpectRows(3)
			rep := probe.ExpectComplete()
			require.Equal(t, rep.Pages, rep.PagesSettled)
			require.Zero(t, rep.PagesGivenUp, "what was given up was settled after all")
			require.False(t, saves.backwards.Load())
		})
	}
}

func TestAStreamThatAFunctionReadsInAnAttemptIsNoneOfTheJob(t *testing.T) {
	again := make(chan struct{})
	// Part 1 is begun when the other input has failed and is read again.
	numbers := rxcqltest.NewScript[int]().Name("Numbers").Page(1).Do(func(context.Context) error { <-again; return nil }).Part(1).Page(2)
	calls := 0
	fails := operators.MapConcurrent(rxcqltest.NewScript[int]().Name("Others").Page(3).Stream(), 1, func(ctx context.Context, n int) (int, error) {
		inner := rxcqltest.NewScript[int]().Name("Numbers").Page(7) // it has the name of a source of the job
		if _, err := inner.Stream().Collect(ctx); err != nil {
			return 0, err
		}
		if calls++; calls == 1 {
			return 0, errPasses
		}
		close(again)
		return n, nil
	})
	to := sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent())
	s := operators.Merge(numbers.Stream(), operators.Retry(fails, atOnce()...))
	rep, err := rxcql.Run(t.Context(), s, to, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, 3, rep.Written)
}
