package rxcql_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestSlowSinkForAnHourHoldsNoMoreThanThePromise(t *testing.T) {
	const rows, budget = 36_000, 256 << 10
	row := strings.Repeat("x", 1000)
	text := func(yield func(string, error) bool) {
		for i := 0; i < rows && yield(row[:i%1000], nil); i++ {
		}
	}
	for name, chain := range map[string]func(rxcql.Stream[string]) rxcql.Stream[string]{
		"alone": func(s rxcql.Stream[string]) rxcql.Stream[string] { return s },
		"after operators that hold rows": func(s rxcql.Stream[string]) rxcql.Stream[string] {
			s = operators.MapConcurrent(s, 16, func(_ context.Context, s string) (string, error) { return s, nil })
			return operators.FlatMap(operators.Batch(s, operators.BatchRows(20)), func(rows []string, emit func(string) bool) error {
				for _, row := range rows {
					emit(row)
				}
				return nil
			})
		},
	} {
		alone(t, name, func(t *testing.T) {
			to := sink.Each(func(context.Context, string) error {
				time.Sleep(100 * time.Millisecond) // reading a row takes no time at all
				return nil
			}, sink.Idempotent())
			start := time.Now()
			p := pipeline(t, chain(source.Seq(text, source.PageRows(50))), to, rxcql.WithBudget(budget))
			ended := make(chan struct{})
			var watch sync.WaitGroup
			samples := 0
			watch.Go(func() {
				for {
					select {
					case <-ended:
						return
					case <-time.After(time.Second):
						now := p.Progress()
						samples++
						if most := now.Budget + int64(now.PeakFetches)*now.LargestPage; now.BytesInFlight > most || now.PeakBytes > most {
							t.Errorf("%d bytes in flight, at most %d; the promise is %d", now.BytesInFlight, now.PeakBytes, most)
							return
						}
					}
				}
			})
			rep, err := p.Run(context.Background())
			close(ended)
			watch.Wait()
			require.NoError(t, err)
			require.True(t, rep.Complete)
			require.EqualValues(t, rows, rep.Written)
			require.GreaterOrEqual(t, time.Since(start), time.Hour)
			require.Greater(t, samples, 3000)
		})
	}
}

func TestSlowSinkDoesNotKeepSavesFromBeingMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, parts := &jobtest.Store{}, tens(20)
		to := sink.Each(func(context.Context, int) error {
			time.Sleep(10 * time.Second)
			return nil
		}, sink.Idempotent())
		p := pipeline(t, parts.Stream(), to, rxcql.WithCheckpoint(store, "job"))
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.GreaterOrEqual(t, rep.Saves, int64(100), "one for each page of two rows")
	})
}
