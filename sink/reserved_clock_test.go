package sink_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
)

// onClock is a sink that does with the clock of a table what a function says.
type onClock func(take taking) error

// taking takes timestamps for rows of so many each, and gives the first of the block.
type taking func(rows int, step int64) (first int64, err error)

func (fn onClock) Check(context.Context) error { return nil }
func (fn onClock) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Resumable: true, Stages: []string{"clock"}}
}
func (fn onClock) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[change], error) {
	return clockWriter{fn, r}, nil
}

type clockWriter struct {
	fn  onClock
	run *rxcql.Execution
}

func (w clockWriter) Write(ctx context.Context, _ *flow.Page[change]) error {
	return w.fn(func(rows int, step int64) (int64, error) { return sink.TakeTimestamps(ctx, w.run, "table", rows, step) })
}
func (clockWriter) Flush(context.Context) error { return nil }
func (clockWriter) Close() error                { return nil }

// runClock is a run of a job that does that once.
func runClock(t *testing.T, l *ledger, fn onClock) error {
	t.Helper()
	parts := &jobtest.Parts[change]{Rows: [][]change{{upsert(1, "v")}}, PageRows: 1}
	p, err := rxcql.New(parts.Stream(), fn, rxcql.WithCheckpoint(l, "job", rxcql.CheckpointInterval(time.Hour)))
	require.NoError(t, err)
	_, err = p.Run(context.Background())
	return err
}

func TestWhatTheClockGivesIsReservedByThen(t *testing.T) {
	const rows = 1024
	for _, step := range []int64{1, sink.AttemptsPerRow} {
		for _, beyond := range []int64{-1, 0, 1, 2, step, step + 1, 2 * sink.AttemptsPerRow, rows*step - 1, rows * step} {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger(t)
				require.NoError(t, runClock(t, l, func(take taking) error {
					next := int64(0) // that nothing has been given of
					give := func(rows, step int64) {
						first, err := take(int(rows), step)
						require.NoError(t, err)
						next = first + rows*step
						require.GreaterOrEqual(t, l.covered(), next-1, "of the last attempt of the last row")
					}
					give(1, 1)
					for range 3 { // from right before what ends so much beyond what is reserved
						for edge := l.covered() + beyond - rows*step; next < edge; {
							give(min(rows, edge-next), 1)
						}
						give(rows, step)
						give(1, step)
					}
					return nil
				}))
				require.Greater(t, l.saves, 3)
			})
		}
	}
}

func TestTimestampsAreNotGivenWhileTheyAreSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		require.NoError(t, runClock(t, l, func(take taking) error {
			l.takes = time.Second
			early := make(chan int, 2)
			for _, rows := range []int{1000, 1} { // while the first waits for a save the second comes for more
				go func() {
					n := 0
					for range 200 {
						if first, err := take(rows, sink.AttemptsPerRow); err != nil || l.covered() < first+int64(rows)*sink.AttemptsPerRow-1 {
							n++
						}
						time.Sleep(20 * time.Millisecond)
					}
					early <- n
				}()
			}
			require.Zero(t, <-early+<-early)
			return nil
		}))
		require.Greater(t, l.saves, 2)
	})
}

func TestTimestampsThatCouldNotBeSavedAreNotGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		err := runClock(t, l, func(take taking) error {
			l.dies = 1
			for range 1000 {
				first, err := take(1000, sink.AttemptsPerRow)
				if err != nil {
					_, again := take(1, 1) // some more of the same
					require.ErrorIs(t, again, rxcql.ErrCheckpointLost)
					return err
				}
				require.GreaterOrEqual(t, l.covered(), first+1000*sink.AttemptsPerRow-1)
			}
			return nil
		})
		require.ErrorIs(t, err, rxcql.ErrCheckpointLost)
	})
}
