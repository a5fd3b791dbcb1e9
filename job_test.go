package rxcql_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/saved"
)

// resuming is a memory sink that can be part of a job.
type resuming struct {
	memory[int]
	info rxcql.SinkInfo
}

func (s *resuming) Info() rxcql.SinkInfo {
	s.info.Resumable = true
	return s.info
}

// tens is a source of parts of 10 rows in pages of 2: part i has 10i to 10i+9.
func tens(parts int) *jobtest.Parts[int] {
	p := &jobtest.Parts[int]{PageRows: 2, Facts: []rxcql.Fact{{Name: "table id", Value: "a"}}, Pages: "1"}
	for i := range parts {
		p.Rows = append(p.Rows, upTo(10 * (i + 1))[10*i:])
	}
	return p
}

// stoppedAfter runs a job that is stopped after so many rows.
func stoppedAfter(t *testing.T, rows int, parts *jobtest.Parts[int], store rxcql.CheckpointStore, to *resuming) rxcql.Report {
	t.Helper()
	var p *rxcql.Pipeline
	to.write = func(_ context.Context, page *flow.Page[int]) error {
		if len(to.got())+len(page.Rows) == rows {
			p.Stop()
		}
		return nil
	}
	defer func() { to.write = nil }()
	p = pipeline(t, parts.Stream(), rxcql.Sink[int](to), rxcql.WithCheckpoint(store, "job"))
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
	return rep
}

func goOn(t *testing.T, parts *jobtest.Parts[int], store rxcql.CheckpointStore, to *resuming) (rxcql.Report, error) {
	t.Helper()
	return pipeline(t, parts.Stream(), rxcql.Sink[int](to), rxcql.WithCheckpoint(store, "job")).Run(context.Background())
}

func TestAJobThatWasStoppedReadsTheRestAndNothingElse(t *testing.T) {
	for seed := range uint64(20) {
		parts, store, to := tens(4), &jobtest.Store{}, &resuming{}
		parts.Seed = seed
		rep := stoppedAfter(t, 26, parts, store, to)
		require.False(t, rep.Resumed)
		require.Positive(t, rep.Saves)

		rep, err := goOn(t, parts, store, to)
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.True(t, rep.Resumed)
		require.EqualValues(t, 14, rep.ReadRows)
		require.EqualValues(t, 26, rep.ResumedRows)
		require.ElementsMatch(t, upTo(40), to.got())
	}
}

func TestACompleteJobBeginsAnew(t *testing.T) {
	parts, store, to := tens(2), &jobtest.Store{}, &resuming{}
	for range 2 {
		rep, err := goOn(t, parts, store, to)
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.False(t, rep.Resumed)
		require.EqualValues(t, 20, rep.ReadRows)
	}
	state, err := store.State("job")
	require.NoError(t, err)
	require.True(t, state.Complete)
	require.Equal(t, 2, state.Runs)
}

func TestAJobThatIsToRunOnceDoesSo(t *testing.T) {
	parts, store, to := tens(2), &jobtest.Store{}, &resuming{}
	run := func() rxcql.Report {
		p := pipeline(t, parts.Stream(), rxcql.Sink[int](to), rxcql.WithCheckpoint(store, "job", rxcql.RunOnce()))
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.True(t, rep.Complete)
		return rep
	}
	require.EqualValues(t, 20, run().ReadRows)
	again := run()
	require.Zero(t, again.ReadRows)
	require.EqualValues(t, 20, again.ResumedRows)
	require.Equal(t, 20, parts.Read)
	require.Len(t, to.got(), 20)
	require.False(t, store.Locked("job"))

	parts.Facts[0].Value = "another table"
	p := pipeline(t, parts.Stream(), rxcql.Sink[int](to), rxcql.WithCheckpoint(store, "job", rxcql.RunOnce()))
	_, err := p.Run(context.Background())
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign, "that this has not been done")
}

func TestARunThatGoesOnWritesLaterThanTheOneBefore(t *testing.T) {
	parts, store, to := tens(4), &jobtest.Store{}, &resuming{}
	var epochs []int64
	to.open = func(_ context.Context, st *rxcql.Stage) error {
		epochs = append(epochs, st.Run().TimestampBase())
		return nil
	}
	stoppedAfter(t, 6, parts, store, to)
	state, err := store.State("job")
	require.NoError(t, err)
	ahead := func(by time.Duration) { // as by the clock of another machine
		state.Time = time.Now().Add(by).UnixMicro()
		data, err := saved.Encode(state)
		require.NoError(t, err)
		store.Put("job", data)
	}
	ahead(time.Hour)
	_, err = goOn(t, parts, store, to)
	require.ErrorIs(t, err, rxcql.ErrClockBehind)
	require.ErrorContains(t, err, "1h0m0s behind")
	ahead(5 * time.Second)
	_, err = goOn(t, parts, store, to)
	require.NoError(t, err)
	require.Greater(t, epochs[1], state.Time)
}

func TestAJobIsOfOneProcessAtATime(t *testing.T) {
	parts, store, to := tens(2), &jobtest.Store{}, &resuming{}
	lock, err := store.Lock(context.Background(), "job")
	require.NoError(t, err)
	_, err = goOn(t, parts, store, to)
	require.ErrorIs(t, err, rxcql.ErrCheckpointLocked)
	require.ErrorContains(t, err, `job "job"`)
	require.Zero(t, parts.Read)
	require.NoError(t, lock.Unlock())
	_, err = goOn(t, parts, store, to)
	require.NoError(t, err)
	require.False(t, store.Locked("job"))
}

func TestAJobWhoseLockIsLostEndsWithThatError(t *testing.T) {
	alone(t, "lost", func(t *testing.T) {
		store := &jobtest.Store{Lose: make(chan struct{})}
		to := &resuming{}
		to.write = func(ctx context.Context, _ *flow.Page[int]) error {
			if len(to.got()) == 4 {
				close(store.Lose)
				<-ctx.Done()
				return context.Cause(ctx)
			}
			return nil
		}
		_, err := goOn(t, tens(2), store, to)
		require.ErrorIs(t, err, rxcql.ErrCheckpointLost)
	})
}

var errFull = errors.New("no space left")

func TestNothingIsReadIfTheCheckpointCannotBeSaved(t *testing.T) {
	parts, to := tens(2), &resuming{}
	store := &jobtest.Store{FailSave: func(int) error { return errFull }}
	_, err := goOn(t, parts, store, to)
	require.ErrorIs(t, err, errFull)
	require.ErrorContains(t, err, `checkpoint of job "job"`)
	require.Zero(t, parts.Read)
	require.Equal(t, 1, to.closed)
}

func TestASaveThatFailsEndsTheRun(t *testing.T) {
	alone(t, "later", func(t *testing.T) {
		parts, to := tens(100), &resuming{}
		store := &jobtest.Store{FailSave: func(n int) error {
			if n == 3 {
				return errFull
			}
			return nil
		}}
		to.write = func(ctx context.Context, _ *flow.Page[int]) error {
			time.Sleep(100 * time.Millisecond) // a save every ten pages
			return nil
		}
		rep, err := goOn(t, parts, store, to)
		require.ErrorIs(t, err, errFull)
		require.Less(t, rep.ReadRows, int64(100), "went on without a checkpoint")
	})
}

func TestOneStuckPageStopsItsPartAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parts, store, to := tens(2), &jobtest.Store{}, &resuming{}
		parts.Rows = [][]int{upTo(1000)}
		var stuck *flow.Reservation
		to.open = func(_ context.Context, st *rxcql.Stage) error {
			stuck = st.Account(true).Reservation()
			return nil
		}
		pages := 0
		to.write = func(_ context.Context, p *flow.Page[int]) error {
			if pages++; pages == 1 {
				stuck.Take(p.Reservation, 1)
			}
			return nil
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, err := goOn(t, parts, store, to)
			assert.NoError(t, err)
		}()
		synctest.Wait()
		require.Equal(t, 64, pages)
		stuck.Settle()
		<-done
		require.Equal(t, 500, pages)
	})
}
