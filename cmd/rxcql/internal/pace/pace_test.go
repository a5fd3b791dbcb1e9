package pace_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/pace"
)

func TestARateIsRowsOrBytesASecond(t *testing.T) {
	for text, want := range map[string]pace.Limit{
		"": {}, "5000": {Rows: 5000}, "5000/s": {Rows: 5000}, "0.5": {Rows: 0.5}, "20k": {Rows: 20_000}, "1.5M": {Rows: 1.5e6}, "100rows/s": {Rows: 100},
		"10MB": {Bytes: 1e7}, "512KiB/s": {Bytes: 512 << 10}, "7b": {Bytes: 7}, "2k, 1MiB": {Rows: 2000, Bytes: 1 << 20},
	} {
		got, err := pace.ParseLimit(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"x", "0", "-5", "5x", "1k,2k", "10MB,1B", ",", "1,", "1..2"} {
		_, err := pace.ParseLimit(text)
		require.Error(t, err, text)
	}
}

func TestANumberOfBytes(t *testing.T) {
	for text, want := range map[string]int64{"33554432": 1 << 25, "32MiB": 1 << 25, "64MB": 64e6, "1b": 1} {
		got, err := pace.ParseBytes(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "0", "20k", "1MB,2", "1MB/s", "-1", "x"} {
		_, err := pace.ParseBytes(text)
		require.Error(t, err, text)
	}
}

func TestWithoutALimitThereIsNoRate(t *testing.T) {
	require.Nil(t, pace.Limit{}.Rate(false))
	require.NoError(t, pace.Limit{}.Rate(true).LimitsRows())
	require.NoError(t, pace.Limit{Rows: 5}.Rate(false).LimitsRows())
	require.True(t, pace.Limit{Bytes: 5}.Rate(false).LimitsBytes())
}

func TestThePercentileIsAtMostAnEighthTooHighAndNeverTooLow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []time.Duration
		for range rapid.IntRange(1, 300).Draw(t, "n") {
			all = append(all, time.Duration(rapid.Int64Range(0, int64(time.Hour/time.Microsecond)).Draw(t, "µs"))*time.Microsecond)
		}
		got := pace.Percentile(0.99, all...)
		slices.Sort(all)
		want := all[(99*len(all)+99)/100-1]
		require.GreaterOrEqual(t, got, want)
		require.LessOrEqual(t, got, want+want/8+time.Microsecond)
	})
}

// servers answer in 10 ms, and in 4 ms more for each thousand rows a second that are asked of them
// above 5,000.
func servers(limit float64) time.Duration {
	d := 10 * time.Millisecond
	if limit > 5000 {
		d += time.Duration((limit - 5000) / 1000 * 4 * float64(time.Millisecond))
	}
	return d
}

func TestTheRateFollowsTheAnswerTimesDownAndUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rate := pace.Limit{}.Rate(true)
		g := pace.NewGovernor(50*time.Millisecond, pace.Limit{}, rate)
		hooks := g.Hooks()
		// work reads as many rows for a while as the limit and its own power allow.
		work := func(power float64, took func(float64) time.Duration, long time.Duration) (rows float64) {
			for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				_, limit := g.P99()
				if limit == 0 || limit > power {
					limit = power
				}
				hooks.PageRead(context.Background(), rxcql.PageEvent{Rows: int(limit / 100)})
				for range 5 {
					jitter := time.Duration(rand.Int64N(int64(time.Millisecond)))
					hooks.FetchEnd(context.Background(), rxcql.FetchEvent{Duration: took(limit) + jitter})
					hooks.FetchEnd(context.Background(), rxcql.FetchEvent{Duration: time.Hour, ErrorType: "cancelled"}) // says nothing
				}
				rows = limit
			}
			return rows
		}
		rows := work(100_000, servers, time.Minute)
		require.Greater(t, rows, 5000.0, "the servers bear 15,000 within 50 ms")
		require.Less(t, rows, 20_000.0)

		rows = work(100_000, func(float64) time.Duration { return 200 * time.Millisecond }, time.Minute)
		require.LessOrEqual(t, rows, 200.0, "they are slow whatever is asked of them")

		rows = work(100_000, servers, 5*time.Minute)
		require.Greater(t, rows, 5000.0, "and have recovered")

		work(1000, servers, time.Minute) // slow for another reason
		_, limit := g.P99()
		require.LessOrEqual(t, limit, 25_000.0, "the limit does not run away meanwhile")
	})
}

func TestTheUsersRateIsNeverExceeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := pace.Limit{Rows: 1000}
		g := pace.NewGovernor(50*time.Millisecond, l, l.Rate(true))
		hooks := g.Hooks()
		for range 10_000 {
			hooks.PageRead(context.Background(), rxcql.PageEvent{Rows: 100})
			hooks.WriteEnd(context.Background(), rxcql.WriteEvent{Duration: time.Duration(rand.Int64N(int64(100 * time.Millisecond)))})
			time.Sleep(10 * time.Millisecond)
			_, limit := g.P99()
			require.LessOrEqual(t, limit, 1000.0)
			require.GreaterOrEqual(t, limit, 1.0)
		}
	})
}
