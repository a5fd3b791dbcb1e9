package sink_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
)

func TestRowsThatTheFunctionOfEachRefusesAreLeftOut(t *testing.T) {
	broken := errors.New("broken")
	for _, opts := range [][]sink.EachOption{nil, {sink.InFlight(8)}} {
		var mu sync.Mutex
		var got []int
		each := sink.Each(func(_ context.Context, n int) error {
			if n%10 == 7 {
				return broken
			}
			mu.Lock()
			defer mu.Unlock()
			got = append(got, n)
			return nil
		}, opts...)
		rep, err := run(t, ints(2000), each, rxcql.WithRowErrors(rxcql.SkipRows(200)))
		require.NoError(t, err)
		require.EqualValues(t, []int64{1800, 200, rep.Pages}, []int64{rep.Written, rep.Skipped, rep.PagesSettled})
		require.Len(t, got, 1800)
		require.Zero(t, rep.BytesInFlight)

		letters := &jobtest.Letters{}
		rep, err = run(t, ints(2000), each, rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
		require.NoError(t, err)
		require.EqualValues(t, []int64{1800, 200, rep.Pages}, []int64{rep.Written, rep.DeadLettered, rep.PagesSettled})
		rows := rowsOf[int](t, letters)
		require.Len(t, rows, 200)
		for i, n := range rows {
			require.Equal(t, 7, n%10)
			require.Equal(t, n, int(letters.All[i].Page)*512+letters.All[i].Index)
		}

		rep, err = run(t, ints(2000), each, rxcql.WithRowErrors(rxcql.SkipRows(5)))
		require.ErrorIs(t, err, rxcql.ErrSkipLimit)
		require.ErrorIs(t, err, broken)
		require.Zero(t, rep.PagesSettled)
	}
}

func TestABranchOfATeeLeavesRowsOutByItself(t *testing.T) {
	all, bad := someBad(5, 60)
	left, right := refusing(invalid{}), &recorder{}
	rep, err := run(t, sequence(all...), sink.Tee(sink.TableOn[event](left.send, events()), sink.TableOn[event](right.send, events())),
		rxcql.WithRowErrors(rxcql.SkipRows(1000)))
	require.NoError(t, err)
	require.EqualValues(t, len(bad), rep.Skipped)
	require.EqualValues(t, 2*rep.ReadRows, rep.Written+rep.Skipped)
	require.Len(t, right.rows(), len(all))
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestRowsKeptForLettersAreCharged(t *testing.T) {
	all := partitions(20, 10)
	for i := range all {
		all[i].V = strings.Repeat("x", 10_000)
	}
	var with, without int64
	for _, policy := range []rxcql.RowErrorPolicy{rxcql.SkipRows(1), rxcql.DeadLetter(&jobtest.Letters{})} {
		rep, err := run(t, sequence(all...), sink.TableOn[event]((&recorder{}).send, events(), sink.BatchLinger(time.Minute), sink.BatchBytes(1<<20)),
			rxcql.WithRowErrors(policy))
		require.NoError(t, err)
		require.Zero(t, rep.BytesInFlight)
		without, with = with, rep.PeakBytes
	}
	require.Greater(t, with, without+1_000_000)
}
