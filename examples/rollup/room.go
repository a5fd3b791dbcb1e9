package main

import (
	"context"
	"strings"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// room keeps the windows of a run within their bounds, whatever is in the table of readings.
// devices sees to that for what comes over HTTP; but another writer may have filled the table, or
// more instances than one. Beyond its bounds Window ends the run, since a result must not be of
// some rows only; and then the next run ends at the same place, for the devices of all. So here a
// reading that there is no room for is left out, and counted: it is in the metric, and if its
// window is there in the result too.
//
// One goroutine uses it, that of Window.
type room struct {
	cfg     config
	metrics *metrics
	each    int // devices in one window at most, so that those of a window leave room for the next one

	open    map[int64]map[string]struct{} // devices with a window, by its start, as Window has them
	windows int                           // in all
	counted int                           // readings in their states
	clock   flow.EventClock               // as that of Window
}

func newRoom(cfg config, m *metrics) *room {
	return &room{cfg: cfg, metrics: m, each: max(1, cfg.most()), open: map[int64]map[string]struct{}{}}
}

// usable reports whether a reading is one that a POST could have brought. Others would end the run,
// and the next one too: JSON has no NaN and no time before the year 0, neither for watchers nor for
// the table unusable.
func (r *room) usable(reading Reading) bool {
	if reading.wrong() == nil {
		return true
	}
	r.skipped("unusable")
	return false
}

// admit is an operator of our own that leaves out readings of devices for which no window can be
// opened. It stands right before Window, and knows from the same watermarks which windows are open.
func (r *room) admit(in rxcql.Stream[Reading]) rxcql.Stream[Reading] {
	info := rxcql.StageInfo{Name: "Room", Drops: true}
	return rxcql.Lift(in, info, func(_ *rxcql.Stage, out flow.Observer[Reading]) flow.Observer[Reading] {
		return &admitting{room: r, out: out}
	})
}

type admitting struct {
	*room
	out  flow.Observer[Reading]
	rows []Reading // those of a page that are left, if one is not
}

func (a *admitting) Next(ctx context.Context, p *flow.Page[Reading]) error {
	said := p.Advance()
	rows, left := p.Rows, false
	for i := range p.Rows {
		switch has := a.hasWindow(&p.Rows[i]); {
		case has && left:
			rows = append(rows, p.Rows[i])
		case !has && !left: // the page's own slice must not be changed
			rows, left = append(a.rows[:0], p.Rows[:i]...), true
		}
	}
	err := flow.HandOn(ctx, p, rows, a.out)
	if left {
		clear(rows)
		a.rows = rows
	}
	a.clock.Add(said)
	a.close()
	return err
}

func (a *admitting) Done(ctx context.Context, stopped bool) error { return a.out.Done(ctx, stopped) }

// hasWindow reports whether the window of a reading is open or can be opened. A reading that is
// late needs none; Window counts it.
func (r *room) hasWindow(reading *Reading) bool {
	size := r.cfg.window.Milliseconds()
	at := reading.At.UnixMilli()
	start := at - (at%size+size)%size
	if !r.isOpen(start) {
		return true
	}
	devices := r.open[start]
	if _, there := devices[reading.Device]; there {
		return true
	}
	if len(devices) >= r.each || r.windows >= r.cfg.limits.windows {
		r.skipped("windows")
		return false
	}
	if devices == nil {
		devices = map[string]struct{}{}
		r.open[start] = devices
	}
	devices[strings.Clone(reading.Device)] = struct{}{}
	r.windows++
	return true
}

// isOpen reports whether a window is not over.
func (r *room) isOpen(start int64) bool {
	now := r.clock.Now()
	return !now.Known() || now.Before(flow.WatermarkAt(time.UnixMilli(start+r.cfg.window.Milliseconds())))
}

// close forgets the windows that are over.
func (r *room) close() {
	for start, devices := range r.open {
		if !r.isOpen(start) {
			r.windows -= len(devices)
			delete(r.open, start)
		}
	}
}

// takes reports whether there is room for one more reading in a window that has some. As long as
// there is room for all, each may have as much as it wants; then a device that floods the windows
// gets no more, and others have their share.
func (r *room) takes(readings int64) bool {
	most := r.cfg.limits.counted
	if r.counted >= most && (r.counted >= 2*most || readings >= int64(most/max(1, r.windows))) {
		return false
	}
	r.counted++
	return true
}

func (r *room) skipped(reason string) { r.metrics.skipped.WithLabelValues(reason).Inc() }
