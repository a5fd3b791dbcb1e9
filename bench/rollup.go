package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// What the service is given: devices that measure a hundred times a second, in posts of many
// readings, as fast as it takes them; then in posts of one reading a device, at a steady rate.
const (
	rollupDevices = 100
	rollupStep    = 10 * time.Millisecond // of event time, from one reading of a device to its next
	rollupPost    = 1000                  // readings
	rollupPosters = 8

	steadyEvery = 50 * time.Millisecond // a reading of each device
	steadyWarm  = 5 * time.Second
	steadyFor   = 40 * time.Second // with the time to get warm
	steadyOrder = 100 * time.Millisecond
)

var rollupFigure = figure{
	name:  "rollup",
	title: "the service of examples/rollup",
	run: func(ctx context.Context, b *bench) (*table, error) {
		program, remove, err := buildRollup(ctx)
		if err != nil {
			return nil, err
		}
		defer remove()
		t := &table{columns: []string{
			"run", "readings a second, acknowledged", "in windows", "service CPU, µs a reading", "peak RSS, MB", "posted again",
			"from POST to SSE, ms: p50", "p99", "most", "windows",
		}}
		for n := range b.pairs {
			full, err := b.rollupFull(ctx, program, n)
			if err != nil {
				return nil, err
			}
			steady, err := b.rollupSteady(ctx, program, n)
			if err != nil {
				return nil, err
			}
			t.add(append([]string{strconv.Itoa(n + 1)}, append(full, steady...)...)...)
			progress("  %d %v %v", n+1, full, steady)
		}
		t.notes = append(t.notes,
			fmt.Sprintf("Acknowledged and in windows: %d readings of %d devices, in posts of %d by %d clients, as fast as they are answered. "+
				"In windows: until all windows of a second are in the table. Every reading was counted once.",
				b.rows, rollupDevices, rollupPost, rollupPosters),
			fmt.Sprintf("From POST to SSE: %d readings a second. Counted from the moment at which the reading is due that lets a window end, "+
				"to its event: so it has the write, the tail's poll (each 250 ms), the write of the window, and the push.",
				int(rollupDevices*time.Second/steadyEvery)))
		return t, nil
	},
}

// rollupFull posts readings as fast as they are taken.
func (b *bench) rollupFull(ctx context.Context, program string, n int) (cells []string, err error) {
	s, err := b.startRollup(ctx, program, fmt.Sprintf("full_%d", n), "--window", "1s", "--out-of-order", "30s", "--idle-after", "24h")
	if err != nil {
		return nil, err
	}
	defer func() { err = s.stop(err) }()
	cpu, err := s.metric(ctx, "process_cpu_seconds_total")
	if err != nil {
		return nil, err
	}
	load := &rollupLoad{url: s.url, begin: time.Now().UTC().Add(-time.Hour).Truncate(time.Second), rows: b.rows}
	start := time.Now()
	if err := load.run(ctx); err != nil {
		return nil, err
	}
	acknowledged := time.Since(start)
	if err := load.last(ctx); err != nil {
		return nil, err
	}
	written := fmt.Sprintf("rxcql_rows_written_total{stage=%q}", "Table "+s.keyspace+".rollups")
	for rows := 0.0; int64(rows) < load.windows(); time.Sleep(20 * time.Millisecond) { // to ask again
		if rows, err = s.metric(ctx, written); err != nil {
			return nil, err
		}
		if time.Since(start) > acknowledged+10*time.Minute {
			return nil, fmt.Errorf("there are %.0f windows of %d", rows, load.windows())
		}
	}
	whole := time.Since(start)
	if counted, err := s.counted(ctx, load.begin, load.end()); err != nil || counted != b.rows {
		return nil, errors.Join(err, fmt.Errorf("%d readings were counted of %d", counted, b.rows))
	}
	after, err := s.metric(ctx, "process_cpu_seconds_total")
	if err != nil {
		return nil, err
	}
	peak, err := s.peak()
	if err != nil {
		return nil, err
	}
	rows := float64(b.rows)
	return []string{
		fmt.Sprintf("%.0f", rows/acknowledged.Seconds()), fmt.Sprintf("%.0f", rows/whole.Seconds()),
		fmt.Sprintf("%.1f", (after-cpu)/rows*1e6), peak, strconv.FormatInt(load.again.Load(), 10),
	}, nil
}

// rollupSteady posts a reading of each device every so often, and looks at when windows come.
func (b *bench) rollupSteady(ctx context.Context, program string, n int) (cells []string, err error) {
	s, err := b.startRollup(ctx, program, fmt.Sprintf("steady_%d", n), "--window", "1s", "--out-of-order", steadyOrder.String())
	if err != nil {
		return nil, err
	}
	defer func() { err = s.stop(err) }()
	took, err := steady(ctx, s.url)
	if err != nil {
		return nil, err
	}
	at := func(share float64) string {
		return fmt.Sprintf("%.0f", 1e3*took[min(len(took)-1, int(share*float64(len(took))))].Seconds())
	}
	return []string{at(0.5), at(0.99), at(1), strconv.Itoa(len(took))}, nil
}
