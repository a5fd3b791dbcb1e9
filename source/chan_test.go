package source_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

func TestChan(t *testing.T) {
	alone := func(name string, fn func(t *testing.T)) { t.Run(name, func(t *testing.T) { synctest.Test(t, fn) }) }
	alone("gathers what is waiting into a page and does not wait for more", func(t *testing.T) {
		ch := make(chan int, 100)
		go func() {
			defer close(ch)
			for _, burst := range []int{3, 1, 25} {
				for i := range burst {
					ch <- i
				}
				time.Sleep(time.Second)
			}
		}()
		var s shape
		n, err := shaped(source.Chan(ch, source.PageRows(10)), &s).Count(context.Background())
		require.NoError(t, err)
		require.EqualValues(t, 29, n)
		require.Equal(t, []int{3, 1, 10, 10, 5, 0}, s.rows)
		require.True(t, s.at[5].Last)
		require.False(t, s.at[4].Last)
	})
	alone("ends with a last page when the channel is closed, also at once", func(t *testing.T) {
		ch := make(chan int)
		close(ch)
		var s shape
		rep, err := shaped(source.Chan(ch), &s).ForEach(context.Background(), func(int) error { return nil })
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Equal(t, []flow.Position{{Last: true}}, s.at)
		require.EqualValues(t, []int64{1, 1, 1}, []int64{rep.Ranges, rep.RangesDone, rep.EmptyPages})
	})
	alone("refuses a second run, and takes nothing for it", func(t *testing.T) {
		ch := make(chan int, 10)
		for i := range 10 {
			ch <- i
		}
		in := source.Chan(ch, source.PageRows(2))
		for range in.All(context.Background()) {
			break
		}
		require.Len(t, ch, 8)
		_, err := in.Collect(context.Background())
		require.ErrorIs(t, err, rxcql.ErrSingleRun)
		require.ErrorContains(t, err, "stage Chan")
		require.Len(t, ch, 8)
	})
	alone("ends with the cause of its context while it waits", func(t *testing.T) {
		why := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Hour, why)
		defer cancel()
		_, err := source.Chan(make(chan int)).Count(ctx)
		require.Equal(t, why, err)
	})
	alone("of nil is a mistake", func(t *testing.T) {
		_, err := source.Chan[int](nil).Count(context.Background())
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, "Chan: the channel is nil")
	})
}
