package operators_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// ticking delivers n pages of 512 rows of 10,000 keys, one each microsecond, with the watermark
// behind each page. Pauses come after each million rows, so that sessions end.
func ticking(n int, key func(i int64) int64) rxcql.Stream[event] {
	info := rxcql.StageInfo{Name: "Ticks", Source: true}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[event]) error {
		defer st.Input().Done()
		st.Parts(ctx, flow.Parts{Count: 1})
		rows, row := events(), int64(0)
		for page := range n {
			reservation, err := st.Input().Reserve(ctx, 1)
			if err != nil {
				return err
			}
			for i := range rows {
				row++
				rows[i].Sensor, rows[i].At = key(row)%10_000, row+row/1_000_000*100_000
			}
			p := &flow.Page[event]{Rows: rows, Reservation: reservation}
			p.Position = flow.Position{Page: int64(page), Last: page == n-1}
			p.Watermark = flow.WatermarkAt(time.UnixMicro(rows[len(rows)-1].At))
			p.Resize(int64(len(rows)) * 80)
			p.AddReceipt(st.Receipt())
			st.CountPage(len(rows), 0)
			err = out.Next(ctx, p)
			p.Finish(err)
			if err != nil {
				return err
			}
		}
		return out.Done(ctx, false)
	})
}

func measureTicks[T any](b *testing.B, put func(rxcql.Stream[event]) rxcql.Stream[T]) {
	b.Helper()
	const pages = 6000
	for how, key := range map[string]func(i int64) int64{
		"keys in turn":       func(i int64) int64 { return i * 7919 },
		"8 rows of each key": func(i int64) int64 { return i / 8 * 7919 },
	} {
		b.Run(how, func(b *testing.B) {
			s := put(ticking(pages, key))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Count(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*pages*benchRows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func tick(e event) time.Time { return time.UnixMicro(e.At) }

func tickKey(e event) int64 { return e.Sensor }

func noSum() float64 { return 0 }

func addValue(sum float64, e event) (float64, error) { return sum + e.Value, nil }

func BenchmarkTicksAlone(b *testing.B) {
	measureTicks(b, func(in rxcql.Stream[event]) rxcql.Stream[event] { return in })
}

type ticksIn = operators.WindowResult[int64, float64]

func BenchmarkWindow(b *testing.B) {
	keys, merge := operators.WindowKeys(1<<40), operators.MergeStates(func(a, b float64) (float64, error) { return a + b, nil })
	for name, c := range map[string]struct {
		windows operators.Windows
		opts    []operators.WindowOption
	}{
		"Tumbling":        {operators.Tumbling(time.Second), nil},
		"Hopping, 5":      {operators.Hopping(time.Second, 200*time.Millisecond), nil},
		"Session":         {operators.Session(20 * time.Millisecond), []operators.WindowOption{merge}},
		"with lateness":   {operators.Tumbling(time.Second), []operators.WindowOption{operators.AllowedLateness(100 * time.Millisecond)}},
		"early, 10 times": {operators.Tumbling(time.Second), []operators.WindowOption{operators.EarlyResults(100 * time.Millisecond)}},
	} {
		b.Run(name, func(b *testing.B) {
			measureTicks(b, func(in rxcql.Stream[event]) rxcql.Stream[ticksIn] {
				return operators.Window(in, c.windows, tick, tickKey, noSum, addValue, append(c.opts, keys)...)
			})
		})
	}
}

// BenchmarkWindowAdjacent has windows of 100 rows.
func BenchmarkWindowAdjacent(b *testing.B) {
	measureTicks(b, func(in rxcql.Stream[event]) rxcql.Stream[ticksIn] {
		return operators.WindowAdjacent(in, operators.Tumbling(100*time.Microsecond), tick, func(event) int64 { return 0 }, noSum, addValue)
	})
}

// BenchmarkSessionsOfAJobThatGoesOn is of a job that was broken off. Keys take turns. Where a
// session of one key goes on all the time, what was durable of the others is known key by key.
func BenchmarkSessionsOfAJobThatGoesOn(b *testing.B) {
	const rows = 400_000
	for name, long := range map[string]bool{"all end": false, "one goes on": true} {
		b.Run(name, func(b *testing.B) {
			brokenOff := 10_000
			if long { // nothing is settled, so all is read again
				brokenOff = 300_000
			}
			parts := &jobtest.Parts[stamped]{Rows: [][]stamped{make([]stamped, rows)}, PageRows: 512}
			for i := range parts.Rows[0] {
				r := &parts.Rows[0][i]
				*r = stamped{number: i, key: 1 + i*7919%1000, at: i/1000 + i/5000*60} // a pause behind each 5000 rows
				if long {
					r.at = i / 1000
					r.key += 1000 * (i / 25_000)
				}
				if long && i%1000 == 0 {
					r.key = 0
				}
			}
			run := func(store *jobtest.Store, before int) error {
				timed := operators.EventTime(parts.Stream(), stampedAt)
				timed = operators.Tap(timed, func(r stamped) error {
					if r.number == before {
						return errSink
					}
					return nil
				})
				results := operators.Window(timed, operators.Session(6*time.Second), timeOfStamped, stampedKey, zero,
					func(n int, _ stamped) (int, error) { return n + 1, nil }, operators.WindowKeys(1<<40), operators.MergeStates(add))
				to := sink.Each(func(context.Context, operators.WindowResult[int, int]) error { return nil }, sink.Idempotent(), sink.InFlight(1))
				_, err := rxcql.Run(context.Background(), results, to, rxcql.WithCheckpoint(store, "job"))
				return err
			}
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				store := &jobtest.Store{}
				if err := run(store, brokenOff); !errors.Is(err, errSink) {
					b.Fatal(err)
				}
				b.StartTimer()
				if err := run(store, -1); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
