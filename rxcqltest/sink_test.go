package rxcqltest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/rxcqltest"
)

func TestTheSinkInMemoryPassesTheSuite(t *testing.T) {
	rxcqltest.TestSink(t, shelfPlace(nil))
	require.Empty(t, rxcqltest.SinkRules[int]().Broken(t, shelfPlace(nil), ""))
}

// wrongSink makes a place of sinks that are wrong.
func wrongSink(change func(s *shelfSink)) func(testing.TB) rxcqltest.SinkPlace[int] {
	return shelfPlace(func(_ testing.TB, s *shelfSink) { change(s) })
}

func isJob(w *shelfWriter) bool { return w.st.Run().HasCheckpoint() }

func TestTheSuiteFindsWhatIsWrongWithASink(t *testing.T) {
	finds(t, rxcqltest.SinkRules[int](), slices.Concat(wrongWrites(), wrongEnds(), wrongInside()))
}

func wrongWrites() []plant[rxcqltest.SinkPlace[int]] {
	const flushed = "When Flush returns every row is durable and every page is settled"
	return []plant[rxcqltest.SinkPlace[int]]{
		{"Until it is opened a sink writes nothing", "Check writes a row to see whether it can", wrongSink(func(s *shelfSink) {
			s.check = func(ctx context.Context) error { return s.place.put(ctx, []int{999}) }
		})},
		{"Until it is opened a sink writes nothing", "Check empties the place", wrongSink(func(s *shelfSink) {
			s.check = func(ctx context.Context) error {
				if rxcql.ExecutionFromContext(ctx) == nil { // in a run other rules would find it out
					s.place.empty()
				}
				return nil
			}
		})},
		{flushed, "the last rows are written by Close", wrongSink(func(s *shelfSink) {
			s.flush = func(w *shelfWriter) error {
				w.late, w.batch = append(w.late, w.batch), w.newBatch()
				return nil
			}
			s.close = func(w *shelfWriter) {
				for _, b := range w.late {
					if w.place.put(w.ctx, b.rows) == nil {
						w.done(b)
					}
				}
			}
		})},
		{flushed, "the last page is settled by Close", wrongSink(func(s *shelfSink) {
			s.flush = func(w *shelfWriter) error {
				b := w.batch
				if len(b.rows) == 0 {
					return nil
				}
				w.late, w.batch = append(w.late, b), w.newBatch()
				w.batch.rows = b.rows
				return nil
			}
			s.close = func(w *shelfWriter) {
				for _, b := range w.late {
					b.reservation.Finish(context.Cause(w.st.Run().Context())) // else they may not be there
				}
			}
		})},
		{"A page is settled when its rows are durable and not before", "it settles with what is on its way", wrongSink(func(s *shelfSink) {
			s.put = func(w *shelfWriter, ctx context.Context, b *shelfBatch) error {
				if isJob(w) || w.place.put(ctx, nil) != nil {
					return w.place.put(ctx, b.rows)
				}
				_ = w.arrive()
				w.late = []*shelfBatch{b}
				return nil
			}
			s.flush = func(w *shelfWriter) error { return w.arriveAll() }
			s.close = func(w *shelfWriter) { _ = w.whenIdle(w.arrive) }
		})},
		{"Pages without rows are taken and settled", "it refuses them", wrongSink(func(s *shelfSink) {
			s.empty = func() error { return errors.New("there is nothing to write") }
		})},
		{"A page says where it comes from and how far event time has come when Write returns too", "it takes the watermark away", wrongSink(func(s *shelfSink) {
			s.keep = func(p *flow.Page[int], good []int) []int {
				p.Watermark = flow.Watermark{}
				return good
			}
		})},
		{"Rows that are needed after Write are copied", "it keeps the page's rows", wrongSink(func(s *shelfSink) {
			s.keep = func(p *flow.Page[int], good []int) []int {
				if len(good) < len(p.Rows) {
					return good
				}
				return p.Rows
			}
		})},
		{"What goes on after Write does not use its context", "it does", wrongSink(func(s *shelfSink) {
			s.background = func(_, write context.Context) context.Context { return write }
			s.put = func(w *shelfWriter, ctx context.Context, b *shelfBatch) error {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				return w.place.put(ctx, b.rows)
			}
		})},
		{"A sink is a description, and may be run again", "it can be run once", wrongSink(func(s *shelfSink) {
			s.put = func(w *shelfWriter, ctx context.Context, b *shelfBatch) error {
				if w.runs > 1 {
					return errors.New("it is closed")
				}
				return w.place.put(ctx, b.rows)
			}
		})},
		{"With the least budget all rows are written", "it gathers more than the budget has room for", wrongSink(func(s *shelfSink) {
			s.gathers = func(p *flow.Page[int]) (int64, int) {
				if p.Bytes() < 1<<10 {
					return 8 * int64(len(p.Rows)), shelfRows
				}
				return p.Bytes(), 1000
			}
		})},
		{"The report counts each row that came in and each that was written", "it does not count what comes in", wrongSink(func(s *shelfSink) {
			s.took = func(int) int { return 0 }
		})},
		{"The report counts each row that came in and each that was written", "it counts some twice", wrongSink(func(s *shelfSink) {
			s.written = func(rows int) int { return 2 * rows }
		})},
		{"After Stop what was read is written", "it drops what it has", wrongSink(func(s *shelfSink) {
			s.flush = func(w *shelfWriter) error {
				select {
				case <-w.st.Run().Stopping():
					if !isJob(w) {
						w.batch.reservation.Release()
						w.batch = w.newBatch()
					}
				default:
				}
				return nil
			}
		})},
	}
}

func wrongEnds() []plant[rxcqltest.SinkPlace[int]] {
	const fails = "A write that fails ends the run with its error, and its rows stay open"
	return []plant[rxcqltest.SinkPlace[int]]{
		{"After an error Close gives everything back and settles nothing", "it keeps the bytes", wrongSink(func(s *shelfSink) {
			s.close = func(w *shelfWriter) {
				if w.st.Run().Context().Err() == nil && !isJob(w) {
					w.batch = w.newBatch()
				}
			}
		})},
		{"After a cancel the run ends and settles only what is durable", "it settles what it has", wrongSink(func(s *shelfSink) {
			s.close = func(w *shelfWriter) {
				ctx := w.st.Run().Context()
				if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errDown) && !isJob(w) {
					w.batch.reservation.Settle()
				}
			}
		})},
		{"Close leaves no goroutine behind", "it leaves one", shelfPlace(func(t testing.TB, s *shelfSink) {
			over := make(chan struct{})
			var left sync.WaitGroup
			t.Cleanup(func() {
				close(over)
				left.Wait()
			})
			s.open = func(*shelfWriter) { left.Go(func() { <-over }) }
		})},
		{fails, "the error is lost", wrongSink(func(s *shelfSink) {
			s.failed = func(w *shelfWriter, err error) {
				if len(w.place.all()) == 0 || errors.Is(err, rxcql.ErrPanic) { // that is another rule
					w.failAs(err)
				}
			}
		})},
		{fails, "it takes the rows for written", wrongSink(func(s *shelfSink) {
			s.put = func(w *shelfWriter, ctx context.Context, b *shelfBatch) error {
				if err := w.place.put(ctx, b.rows); !errors.Is(err, errDown) || len(w.place.all()) == 0 {
					return err
				}
				return nil
			}
		})},
		{"A write that fails in the background ends a run that waits", "Flush alone returns the error", wrongSink(func(s *shelfSink) {
			var mu sync.Mutex
			var late error
			s.failed = func(_ *shelfWriter, err error) {
				mu.Lock()
				defer mu.Unlock()
				late = err
			}
			s.flush = func(w *shelfWriter) error {
				return w.whenIdle(func() error {
					mu.Lock()
					defer mu.Unlock()
					return late
				})
			}
		})},
		{"A panic while rows are written ends the run, and everything is given back", "it takes the rows for written", wrongSink(func(s *shelfSink) {
			s.put = func(w *shelfWriter, ctx context.Context, b *shelfBatch) error {
				defer func() { _ = recover() }()
				return w.place.put(ctx, b.rows)
			}
		})},
		{"A write that hangs ends with the grace period", "it has a context that never ends", wrongSink(func(s *shelfSink) {
			s.background = func(open, _ context.Context) context.Context { return context.WithoutCancel(open) }
		})},
		{"A row that the sink cannot take ends the run with a RowError that has its place", "it returns the error as it is", wrongSink(func(s *shelfSink) {
			s.rowFailed = func(st *rxcql.Stage, f *rxcql.FailedRow) error {
				if st.SkipsFailed() {
					return nil
				}
				return st.Fail(f.Err)
			}
		})},
		{"Under SkipRows a row that the sink cannot take is left out alone", "it drops it without a word", wrongSink(func(s *shelfSink) {
			s.rowFailed = func(st *rxcql.Stage, f *rxcql.FailedRow) error {
				if st.SkipsFailed() && !st.WantsFailedRows() {
					f.Err = nil
				}
				return nil
			}
		})},
		{"Under DeadLetter a row that the sink cannot take becomes a letter with the row", "it has no row", wrongSink(func(s *shelfSink) {
			s.rowFailed = func(_ *rxcql.Stage, f *rxcql.FailedRow) error { f.Row = nil; return nil }
		})},
		{"A job that is interrupted again and again passes no row that is not durable", "it settles with what is on its way", wrongSink(func(s *shelfSink) {
			s.put = func(w *shelfWriter, ctx context.Context, b *shelfBatch) error {
				if !isJob(w) {
					return w.place.put(ctx, b.rows)
				}
				w.late = append(w.late, b)
				return nil
			}
			s.flush = func(w *shelfWriter) error { return w.arriveAll() }
		})},
		{"A job that is interrupted again and again passes no row that is not durable", "it says that it holds each row once", wrongSink(func(s *shelfSink) {
			s.barrier = true
		})},
		{"A job that is complete is known again by the names of the sink's stages", "it says another name", wrongSink(func(s *shelfSink) {
			s.stage = "Cupboard"
		})},
	}
}
