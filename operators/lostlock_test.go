package operators_test

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// hangingStore is a store somewhere else: save number hangs lasts until its
// context ends.
type hangingStore struct {
	jobtest.Store
	hangs int
	saves int
	began chan struct{} // closed when that save has begun
}

type hangingHeld struct {
	rxcql.Checkpoint
	store *hangingStore
}

func (s *hangingStore) Lock(ctx context.Context, job string) (rxcql.Checkpoint, error) {
	held, err := s.Store.Lock(ctx, job)
	return &hangingHeld{held, s}, err
}

func (h *hangingHeld) Save(ctx context.Context, data []byte) error {
	if h.store.saves++; h.store.saves == h.store.hangs {
		close(h.store.began)
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return h.Checkpoint.Save(ctx, data)
}

// hourly lets a row through an hour after it has come.
func hourly(ctx context.Context, l line) (line, error) {
	select {
	case <-time.After(time.Hour):
		return l, nil
	case <-ctx.Done():
		return l, context.Cause(ctx)
	}
}

func TestALockThatIsLostWhileASaveWaitsBehindTheBarrierEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &jobtest.Store{Lose: make(chan struct{})}
		parts := &jobtest.Parts[line]{PageRows: 1, Rows: [][]line{{{Row: 1}, {Row: 2}, {Row: 3}}}}
		p, err := rxcql.New(operators.MapConcurrent(parts.Stream(), 2, hourly), sink.CSV[line](filepath.Join(t.TempDir(), "out.csv")),
			rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		start := time.Now()
		time.AfterFunc(3*time.Second, func() { close(store.Lose) })
		_, err = p.Run(context.Background())
		require.ErrorIs(t, err, rxcql.ErrCheckpointLost)
		require.Less(t, time.Since(start), 10*time.Second)
		state, err := store.State("job")
		require.NoError(t, err)
		require.False(t, state.Complete)
	})
}

func TestALockThatIsLostWhileTheStoreHangsEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &hangingStore{hangs: 2, began: make(chan struct{})}
		store.Lose = make(chan struct{})
		parts := &jobtest.Parts[line]{PageRows: 1, Rows: [][]line{{{Row: 1}, {Row: 2}, {Row: 3}}}}
		rows := operators.MapConcurrent(parts.Stream(), 2, hourly)
		p, err := rxcql.New(rows, sink.Each(func(context.Context, line) error { return nil }, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		start := time.Now()
		time.AfterFunc(3*time.Second, func() { close(store.Lose) })
		_, err = p.Run(context.Background())
		require.ErrorIs(t, err, rxcql.ErrCheckpointLost)
		require.Less(t, time.Since(start), 10*time.Second)
	})
}

func TestASaveThatACancelBrokeOffIsMadeAgainAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &hangingStore{hangs: 2, began: make(chan struct{})}
		parts := &jobtest.Parts[int]{PageRows: 1, Rows: [][]int{upTo(6)}}
		ctx, cancel := context.WithCancel(context.Background())
		rows := operators.Tap(parts.Stream(), func(n int) error {
			if n == 3 {
				<-store.began // the save of the three pages before
				cancel()
				return ctx.Err()
			}
			return nil
		})
		to := sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent())
		p, err := rxcql.New(rows, to, rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		rep, err := p.Run(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.EqualValues(t, 3, rep.PagesSettled)

		state, err := store.State("job")
		require.NoError(t, err)
		require.Len(t, state.Sources, 1)
		require.Len(t, state.Sources[0].Parts, 1, "what was settled is not saved")
		require.EqualValues(t, 3, state.Sources[0].Parts[0].Pages)
		require.EqualValues(t, 3, state.Sources[0].Parts[0].Rows)

		left := operators.Tap(parts.Stream(), func(int) error { return nil })
		p, err = rxcql.New(left, to, rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		rep, err = p.Run(context.Background())
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.EqualValues(t, 3, rep.ResumedRows)
		require.EqualValues(t, 3, rep.ReadRows)
	})
}
