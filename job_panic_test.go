package rxcql_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
)

// A save is made in a goroutine of the run's own, where a panic would end the whole process.
func TestAStoreThatPanicsEndsTheRunAndNotTheProcess(t *testing.T) {
	for _, bad := range []int{1, 3} { // before anything is read; while the run reads
		alone(t, "save", func(t *testing.T) {
			parts, to := tens(100), &resuming{}
			store := &jobtest.Store{FailSave: func(n int) error {
				if n == bad {
					panic(errFull)
				}
				return nil
			}}
			to.write = aSaveEveryTenPages
			_, err := goOn(t, parts, store, to)
			requirePanicked(t, err, "checkpoint")
			require.ErrorContains(t, err, `checkpoint of job "job"`)
			require.Equal(t, 1, to.closed)
			require.False(t, store.Locked("job"))
		})
	}
}

func TestASinkThatPanicsWhenItIsSavedEndsTheRunAndNotTheProcess(t *testing.T) {
	alone(t, "save", func(t *testing.T) {
		calls := 0
		to := &resuming{info: rxcql.SinkInfo{Barrier: true}}
		to.open = func(_ context.Context, st *rxcql.Stage) error {
			st.OnSave(func(context.Context) ([]byte, error) {
				if calls++; calls == 2 {
					panic(errFull)
				}
				return []byte("1"), nil
			})
			return nil
		}
		to.write = aSaveEveryTenPages
		store := &jobtest.Store{}
		_, err := goOn(t, tens(100), store, to)
		requirePanicked(t, err, "Memory")
		require.False(t, store.Locked("job"))
	})
}

func TestASaveThatExitsFailsTheRun(t *testing.T) {
	alone(t, "where a sink saves", func(t *testing.T) {
		calls := 0
		to := &resuming{info: rxcql.SinkInfo{Barrier: true}}
		to.open = func(_ context.Context, st *rxcql.Stage) error {
			st.OnSave(func(context.Context) ([]byte, error) {
				if calls++; calls == 2 {
					runtime.Goexit()
				}
				return []byte("1"), nil
			})
			return nil
		}
		to.write = aSaveEveryTenPages
		_, err := goOn(t, tens(100), &jobtest.Store{}, to)
		require.ErrorContains(t, err, "stage Memory: runtime.Goexit")
		require.Equal(t, 2, calls, "none after it")
	})
	alone(t, "in the store", func(t *testing.T) {
		store := &jobtest.Store{FailSave: func(n int) error {
			if n == 3 {
				runtime.Goexit()
			}
			return nil
		}}
		to := &resuming{}
		to.write = aSaveEveryTenPages
		_, err := goOn(t, tens(100), store, to)
		require.ErrorContains(t, err, "Goexit")
	})
}

func aSaveEveryTenPages(context.Context, *flow.Page[int]) error {
	time.Sleep(100 * time.Millisecond) // a save every ten pages
	return nil
}

func requirePanicked(t *testing.T, err error, stage string) {
	t.Helper()
	var failed *rxcql.StageError
	require.True(t, errors.As(err, &failed), "%v", err)
	require.Equal(t, stage, failed.Stage)
	require.ErrorContains(t, err, "panic")
	require.NotEmpty(t, failed.Stack)
}
