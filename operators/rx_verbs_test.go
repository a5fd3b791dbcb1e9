package operators_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest"
)

// sumRx is a sum so far, for Scan: rxgo begins with nil.
func sumRx(_ context.Context, sum, item any) (any, error) {
	if sum == nil {
		return item, nil
	}
	return sum.(int) + item.(int), nil
}

func byThree(item rxgo.Item) int { return item.V.(int) % 3 }

// inside gives the rows of an item that is itself an Observable: a group or a window.
func inside(item rxgo.Item) rxgo.Observable { return item.V.(rxgo.Observable) }

func TestWhatRxgoOperatorsMakeOfTheRowsOfAStream(t *testing.T) {
	for name, c := range map[string]struct {
		fn   func(rxgo.Observable) rxgo.Observable
		want []any
	}{
		"Map": {func(o rxgo.Observable) rxgo.Observable { return o.Map(doubleRx) }, []any{0, 2, 4, 6, 8}},
		"Filter": {func(o rxgo.Observable) rxgo.Observable {
			return o.Filter(func(item any) bool { return item.(int) > 2 })
		}, []any{3, 4}},
		"Scan": {func(o rxgo.Observable) rxgo.Observable { return o.Scan(sumRx) }, []any{0, 1, 3, 6, 10}},
		"Distinct": {func(o rxgo.Observable) rxgo.Observable {
			return o.Distinct(func(_ context.Context, item any) (any, error) { return item.(int) / 2, nil })
		}, []any{0, 2, 4}},
		"GroupBy, groups with room for all rows": {func(o rxgo.Observable) rxgo.Observable {
			return o.GroupBy(3, byThree, rxgo.WithBufferedChannel(5)).FlatMap(inside)
		}, []any{0, 3, 1, 4, 2}},
		"Zip": {func(o rxgo.Observable) rxgo.Observable {
			return o.ZipFromIterable(rxgo.Just("a", "b", "c", "d", "e")(), func(_ context.Context, n, letter any) (any, error) {
				return fmt.Sprint(n, letter), nil
			})
		}, []any{"0a", "1b", "2c", "3d", "4e"}},
	} {
		for _, page := range []int{1, 2, 100} {
			sink := &gather[any]{}
			rep, err := rxcql.Run(t.Context(), viaRx[any](count(5, page), c.fn), sink)
			require.NoError(t, err, name)
			require.Equal(t, c.want, sink.rows(), name)
			require.True(t, rep.Complete, name)
			require.Equal(t, rep.Pages, rep.PagesSettled, name)

			none := &gather[any]{}
			rep, err = rxcql.Run(t.Context(), operatorsOfNone(c.fn, name), none)
			require.NoError(t, err, name)
			require.Empty(t, none.rows(), name)
			require.Equal(t, rep.Pages, rep.PagesSettled, name)
		}
	}
}

// operatorsOfNone puts no row through rxgo. Zip has then nothing to zip with either: goroutines of
// it stay behind if what it zips with is longer.
func operatorsOfNone(fn func(rxgo.Observable) rxgo.Observable, name string) rxcql.Stream[any] {
	if name == "Zip" {
		fn = func(o rxgo.Observable) rxgo.Observable {
			return o.ZipFromIterable(rxgo.Empty(), func(_ context.Context, _, _ any) (any, error) { return 0, nil })
		}
	}
	return viaRx[any](count(0, 1), fn)
}

func TestZipWithAShorterIterableEndsTheStreamOnPurpose(t *testing.T) {
	_, rep := pagesOut(t, viaRx[any](count(1<<40, 10), func(o rxgo.Observable) rxgo.Observable {
		return o.ZipFromIterable(rxgo.Just("a", "b")(), func(_ context.Context, n, letter any) (any, error) { return fmt.Sprint(n, letter), nil })
	}))
	require.EqualValues(t, 2, rep.Written)
	require.Equal(t, "Rx", rep.EndedBy)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestBuffersOfRxgoGoOnInTimeAndLoseNoRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := rxcqltest.NewScript[int]().Page(0, 1, 2, 3).Delay(time.Hour).Page(4).Delay(time.Hour).Page(5)
		begun := time.Now()
		var rows []any
		s := viaRx[[]any](script.Stream(), func(o rxgo.Observable) rxgo.Observable {
			return o.BufferWithTimeOrCount(rxgo.WithDuration(time.Minute), 3)
		})
		rep, err := s.ForEach(t.Context(), func(buffer []any) error {
			if slices.Contains(buffer, any(4)) {
				require.LessOrEqual(t, time.Since(begun), time.Hour+time.Minute)
			}
			rows = append(rows, buffer...)
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, []any{0, 1, 2, 3, 4, 5}, rows)
		require.True(t, rep.Complete)
	})
}

func TestWindowsOfRxgoHaveEachRowOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := rxcqltest.NewScript[int]().Page(0, 1).Delay(90*time.Second).Page(2).Delay(time.Hour).Page(3, 4)
		var windows atomic.Int64
		s := viaRx[int](script.Stream(), func(o rxgo.Observable) rxgo.Observable {
			return o.WindowWithTime(rxgo.WithDuration(time.Minute)).FlatMap(func(item rxgo.Item) rxgo.Observable {
				windows.Add(1)
				return inside(item)
			})
		})
		require.Equal(t, upTo(5), collect(t, s))
		require.Greater(t, windows.Load(), int64(2))
	})
}

func TestRetryOfRxgoReadsFromTheFirstRowAndTheRunIsNotComplete(t *testing.T) {
	for fails, want := range map[int][]int{
		0: upTo(6), // nothing to repeat
		3: slices.Concat(upTo(2), upTo(6)),
	} {
		call := 0
		boom := errors.New("boom")
		sink := &gather[int]{}
		rep, err := rxcql.Run(t.Context(), viaRx[int](count(6, 2), func(o rxgo.Observable) rxgo.Observable {
			return o.Map(func(_ context.Context, item any) (any, error) {
				if call++; call == fails {
					return nil, boom
				}
				return item, nil
			}).Retry(1, func(error) bool { return true })
		}), sink, rxcql.WithBudget(1<<20))
		require.NoError(t, err)
		require.Equal(t, want, sink.rows())
		// The reading that failed stays open beside the next one until the run ends it.
		require.Equal(t, fails == 0, rep.Complete)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
	}
}
