package sink_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/sink"
)

func TestTimestampsAreNeverFarAheadOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		lead := time.Duration(0)
		server := func(_ context.Context, s sink.Sent) error {
			for _, r := range s.Rows {
				lead = max(lead, time.Until(time.UnixMicro(r.Timestamp)))
			}
			return nil
		}
		_, err := run(t, sequence(listedRows(100_000)...), sink.TableOn[listed](server, lists("list<text>"), sink.InFlight(1)))
		require.NoError(t, err)
		const page = 1024 * sink.AttemptsPerRow * time.Microsecond
		require.LessOrEqual(t, lead, 250*time.Millisecond+page)
		require.Greater(t, lead, 200*time.Millisecond)
		require.Less(t, time.Since(start), 2*time.Second, "no longer than the timestamps take")
	})
}

func TestWithATimestampOfTheirOwnRowsDoNotWaitForTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		own := sink.TimestampOf(func(listed) int64 { return start.Add(time.Hour).UnixMicro() })
		_, err := run(t, sequence(listedRows(1000)...), sink.TableOn[listed]((&recorder{}).send, lists("frozen<list<text>>"), own))
		require.NoError(t, err)
		require.Less(t, time.Since(start), 10*time.Microsecond)
	})
}
