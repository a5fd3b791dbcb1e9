package rxcql_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/saved"
)

func TestWhatASaveReserves(t *testing.T) {
	now := time.UnixMicro(1_000_000_000)
	at := func(d time.Duration) int64 { return now.Add(d).UnixMicro() }
	for name, c := range map[string]struct {
		saved, asked time.Duration
		final        bool
		want         time.Duration
	}{
		"more than was asked for":                        {-time.Hour, -time.Minute, false, -time.Minute + 2*time.Second},
		"not far ahead of the time":                      {0, time.Second, false, 2 * time.Second},
		"what was asked for":                             {0, time.Minute, false, time.Minute},
		"what was saved, also where a clock is set back": {time.Minute, time.Second, false, time.Minute},
		"at the end what was asked for, and no more":     {time.Minute, time.Second, true, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, at(c.want), rxcql.NextReserved(at(c.saved), at(c.asked), c.final, now))
		})
	}
}

func TestARunThatGoesOnBeginsAboveWhatIsReserved(t *testing.T) {
	parts, store, to := tens(4), &jobtest.Store{}, &resuming{}
	epoch := int64(0)
	to.open = func(_ context.Context, st *rxcql.Stage) error {
		epoch = st.Run().TimestampBase()
		return nil
	}
	stoppedAfter(t, 6, parts, store, to)
	state, err := store.State("job")
	require.NoError(t, err)
	require.Equal(t, epoch, state.Reserved, "nothing was asked for")
	reserved := func(ahead time.Duration) {
		state.Reserved = time.Now().Add(ahead).UnixMicro()
		data, err := saved.Encode(state)
		require.NoError(t, err)
		store.Put("job", data)
	}
	reserved(13 * time.Second)
	_, err = goOn(t, parts, store, to)
	require.ErrorIs(t, err, rxcql.ErrClockBehind)
	require.ErrorContains(t, err, "11s behind")
	reserved(10 * time.Second)
	_, err = goOn(t, parts, store, to)
	require.NoError(t, err)
	require.Equal(t, state.Reserved+1, epoch)
}

func TestTimestampsAreReservedInWriteOnly(t *testing.T) {
	store, to := &jobtest.Store{}, &resuming{}
	to.open = func(ctx context.Context, st *rxcql.Stage) error {
		return st.Run().ReserveTimestamps(ctx, time.Now().Add(time.Second).UnixMicro())
	}
	_, err := pipeline(t, tens(2).Stream(), rxcql.Sink[int](to)).Run(context.Background())
	require.NoError(t, err, "without a checkpoint")
	_, err = goOn(t, tens(2), store, to)
	require.ErrorContains(t, err, `checkpoint of job "job"`)
	require.ErrorContains(t, err, "in Write")
	require.Nil(t, store.Get("job"), "it may be of something else")
}

func TestTimestampsThatCouldNotBeSavedAreNotReserved(t *testing.T) {
	alone(t, "fails", func(t *testing.T) {
		fails := true
		store, to := &jobtest.Store{}, &resuming{}
		store.FailSave = func(n int) error {
			if n > 1 && fails {
				return errFull
			}
			return nil
		}
		far := time.Now().Add(time.Minute).UnixMicro()
		var run *rxcql.Execution
		to.open = func(_ context.Context, st *rxcql.Stage) error {
			run = st.Run()
			return nil
		}
		to.write = func(ctx context.Context, _ *flow.Page[int]) error {
			require.ErrorIs(t, run.ReserveTimestamps(ctx, far), errFull)
			err := run.ReserveTimestamps(ctx, far)
			require.ErrorIs(t, err, errFull)
			fails = false
			return err
		}
		rep, err := goOn(t, tens(2), store, to)
		require.ErrorIs(t, err, errFull)
		require.ErrorContains(t, err, `checkpoint of job "job"`)
		require.EqualValues(t, 2, rep.ReadRows)
	})
}

func TestACancelEndsTheWaitForASaveThatReservesTimestamps(t *testing.T) {
	alone(t, "cancel", func(t *testing.T) {
		enough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		store, to := &jobtest.Store{}, &resuming{}
		store.FailSave = func(n int) error {
			if n == 2 {
				time.Sleep(time.Hour) // as a store that does not answer
			}
			return nil
		}
		var run *rxcql.Execution
		to.open = func(_ context.Context, st *rxcql.Stage) error {
			run = st.Run()
			return nil
		}
		waited := time.Duration(0)
		pages := 0
		to.write = func(ctx context.Context, _ *flow.Page[int]) error {
			if pages++; pages == 1 {
				return nil
			}
			time.Sleep(1500 * time.Millisecond) // the save is under way
			time.AfterFunc(time.Second, func() { cancel(enough) })
			begun := time.Now()
			err := run.ReserveTimestamps(ctx, begun.Add(time.Minute).UnixMicro())
			waited = time.Since(begun)
			require.ErrorIs(t, err, enough)
			return err
		}
		p := pipeline(t, tens(2).Stream(), rxcql.Sink[int](to), rxcql.WithCheckpoint(store, "job"))
		_, err := p.Run(ctx)
		require.ErrorIs(t, err, enough)
		require.Equal(t, time.Second, waited)
	})
}
