package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// The limits of the figure, a second.
const (
	throttledRows     = 100_000
	throttledBytes    = 10_000_000
	throttledRequests = 1_000
)

// What goes in so long is counted, from so long after the first row on: what may go at once after a
// pause has gone then. Rows come for longer than that.
const (
	throttleAfter = time.Second
	throttleFor   = 10 * time.Second
	throttleLasts = throttleAfter + throttleFor + time.Second
)

var throttleFigure = figure{
	name:  "throttle",
	title: "what a Throttle lets through in 10 s, as a ratio to its rate",
	run: func(ctx context.Context, b *bench) (*table, error) {
		t := &table{columns: []string{"throttle", "rate, a second", "a second, over 10 s", "ratio to the rate", "wanted"}}
		for _, way := range []struct {
			label string
			rate  float64
			run   func(ctx context.Context, b *bench, w *window) error
		}{
			{"operators.Throttle, rows", throttledRows, throttleRows},
			{"operators.Throttle, bytes", throttledBytes, throttleBytes},
			{"sink.Throttle of sink.Table, requests of one row", throttledRequests, throttleRequests},
		} {
			var speeds, ratios []float64
			for n := range b.pairs {
				w := &window{}
				if err := way.run(ctx, b, w); err != nil {
					return nil, fmt.Errorf("%s: %w", way.label, err)
				}
				speed := w.sum / throttleFor.Seconds()
				progress("  %d %-36s %.0f a second", n+1, way.label, speed)
				speeds, ratios = append(speeds, speed), append(ratios, speed/way.rate)
			}
			t.add(way.label, fmt.Sprintf("%.0f", way.rate), spreadOf(speeds).in("%.0f", 1), "**"+spreadOf(ratios).in("%.4f", 1)+"**", "0.99–1.01")
		}
		return t, nil
	},
}

// window counts what passes in it.
type window struct {
	mu    sync.Mutex
	begin time.Time
	sum   float64
}

// add counts what passes now. The first call sets when the window begins.
func (w *window) add(n float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if w.begin.IsZero() {
		w.begin = now.Add(throttleAfter)
	}
	if since := now.Sub(w.begin); since >= 0 && since < throttleFor {
		w.sum += n
	}
}

// throttleRows holds rows in memory back by their number.
func throttleRows(ctx context.Context, _ *bench, w *window) error {
	rows := source.Seq(generate(eventAt, int64(throttledRows*throttleLasts.Seconds())))
	limit := rxcql.NewRate(rxcql.RowsPerSecond(throttledRows))
	_, err := operators.Throttle(rows, limit).ForEach(ctx, func(event) error {
		w.add(1)
		return nil
	})
	return err
}

// throttleBytes holds rows in memory back by their bytes.
func throttleBytes(ctx context.Context, _ *bench, w *window) error {
	size, first := rxcql.SizeFunc[event](), eventAt(0)
	rows := source.Seq(generate(eventAt, int64(throttledBytes*throttleLasts.Seconds())/int64(size(&first))))
	limit := rxcql.NewRate(rxcql.BytesPerSecond(throttledBytes))
	_, err := operators.Throttle(rows, limit).ForEach(ctx, func(e event) error {
		w.add(float64(size(&e)))
		return nil
	})
	return err
}

// throttleRequests writes rows by themselves, and counts the requests as they begin.
func throttleRequests(ctx context.Context, b *bench, w *window) error {
	name := b.server.keyspace + ".throttled"
	if err := b.server.exec(ctx, "CREATE TABLE IF NOT EXISTS "+name+" (id bigint PRIMARY KEY, sensor int, kind int, at bigint, note text)"); err != nil {
		return err
	}
	rows := source.Seq(generate(scatteredAt, int64(throttledRequests*throttleLasts.Seconds())))
	limit := rxcql.NewRate(rxcql.RequestsPerSecond(throttledRequests))
	_, err := rxcql.Run(ctx, rows, sink.Table[scatteredRow](b.server.session, name, sink.Throttle(limit)),
		rxcql.WithHooks(rxcql.Hooks{WriteStart: func(ctx context.Context, e rxcql.WriteEvent) context.Context {
			w.add(float64(e.Rows))
			return ctx
		}}))
	return err
}
