package sink_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/sink"
)

func TestRequestsAtOnceFallUnderOverloadAndComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var out int
		peaks := make([]int, 60) // at once, second by second
		start := time.Now()
		server := func(context.Context, sink.Sent) error {
			mu.Lock()
			out++
			now, second := out, int(time.Since(start)/time.Second)
			peaks[second] = max(peaks[second], now)
			mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			out--
			if second >= 10 && second < 20 && now > 3 {
				return overloaded
			}
			return nil
		}
		rep, err := run(t, sequence(partitions(200_000, 1)...), sink.TableOn[event](server, events()))
		require.NoError(t, err)
		require.EqualValues(t, 200_000, rep.Written)
		t.Logf("at once, second by second: %v, %d retried", peaks, rep.Retried)
		require.Equal(t, 64, peaks[9])
		require.LessOrEqual(t, slices.Max(peaks[12:19]), 8)
		require.Equal(t, 64, peaks[22])
	})
}
