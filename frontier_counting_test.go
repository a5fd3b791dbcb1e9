package rxcql_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// reading is a row with an event time, in seconds.
type reading struct{ ID, Key, At int }

// window is one window of a key, in seconds.
type window struct{ Key, Start int }

// result is a window with the rows that were counted in it.
type result struct {
	window
	IDs  []int
	Kind string
}

func second(n int) flow.Watermark { return flow.WatermarkAt(time.Unix(int64(n), 0)) }

// windows says how windowed counts.
type windows struct {
	size, every, lateness int
	gap                   int  // of sessions, which take the place of windows; 0 for none
	early                 bool // results of windows that are not complete, after each page
	parts                 int  // that are not done when the run begins
	facts                 []rxcql.Fact

	before     func(rows []reading) error // of each page; may be nil
	event      func() error               // called wherever a run may be killed; may be nil
	late       func(row reading, start int)
	counted    func(row reading, start int)
	lateGoesTo func(receipt *flow.Receipt) // where late rows go with their receipt; may be nil
}

// windowed is the smallest stage with windows that keeps the rules of flow.Frontier.
func windowed(in rxcql.Stream[reading], w *windows) rxcql.Stream[result] {
	info := rxcql.StageInfo{Name: "Windowed", HoldsRows: true, MixesRows: true, Frontier: true, Facts: w.facts}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[result]) error {
		return in.Subscribe(ctx, st, &windowing{
			windows: w, st: st, out: out, account: st.Account(false), f: st.Frontier(),
			open: map[window]*openWindow{}, times: map[flow.PartID]flow.Watermark{},
		})
	}, in)
}

type windowing struct {
	*windows
	st      *rxcql.Stage
	out     flow.Observer[result]
	account *flow.Account
	f       *flow.Frontier
	open    map[window]*openWindow
	times   map[flow.PartID]flow.Watermark // of the parts that are open
	ended   int
	now     flow.Watermark
	closed  flow.Watermark // the last upTo
}

type openWindow struct {
	ids            []int
	given, changed bool
}

func (w *windows) starts(at int) (all []int) {
	last := at - ((at%w.every)+w.every)%w.every
	for start := last; start > at-w.size; start -= w.every {
		all = append(all, start)
	}
	return all
}

func (w *windowing) Next(ctx context.Context, p *flow.Page[reading]) error {
	if w.before != nil {
		if err := w.before(p.Rows); err != nil {
			return err
		}
	}
	if err := w.happens(); err != nil {
		return err
	}
	var until flow.Watermark
	isLate := false
	for _, row := range p.Rows {
		for _, start := range w.starts(row.At) {
			end := second(start + w.size)
			switch restored := !w.f.Restored().Before(end); {
			case restored && w.f.Counted(p.Reservation):
			case restored || !w.closed.Before(end):
				isLate = true
				if w.late != nil {
					w.late(row, start)
				}
			default:
				w.count(row, start)
				if until.Before(end) {
					until = end
				}
			}
		}
	}
	if isLate && w.lateGoesTo != nil {
		w.lateGoesTo(w.f.Late(p.Reservation))
	}
	if until.Known() {
		if err := w.f.Hold(p.Reservation, until); err != nil {
			return w.st.Fail(err)
		}
	}
	w.see(p.Advance())
	if err := w.happens(); err != nil {
		return err
	}
	return w.give(ctx)
}

func (w *windowing) happens() error {
	if w.event == nil {
		return nil
	}
	return w.event()
}

func (w *windowing) count(row reading, start int) {
	at := window{row.Key, start}
	open := w.open[at]
	if open == nil {
		open = &openWindow{}
		w.open[at] = open
	}
	open.ids, open.changed = append(open.ids, row.ID), true
	if w.counted != nil {
		w.counted(row, start)
	}
}

// see moves the time to the least of all parts.
func (w *windowing) see(a flow.Advance) {
	if a.Last {
		delete(w.times, a.PartID())
		w.ended++
	} else {
		w.times[a.PartID()] = a.Watermark
	}
	if len(w.times)+w.ended < w.parts {
		return // one has not begun
	}
	least := flow.Forever
	for _, at := range w.times {
		if at.Before(least) {
			least = at
		}
	}
	if w.now.Before(least) {
		w.now = least
	}
}

func (w *windowing) give(ctx context.Context) error {
	upTo := w.now
	if upTo.Known() && upTo != flow.Forever {
		upTo = flow.WatermarkAt(upTo.Time().Add(-time.Duration(w.lateness) * time.Second))
	}
	if upTo.Before(w.closed) {
		upTo = w.closed
	}
	var rows []result
	caughtUp := w.f.CaughtUp()
	for _, at := range slices.SortedFunc(maps.Keys(w.open), func(a, b window) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Key, b.Key))
	}) {
		open, end, kind := w.open[at], second(at.Start+w.size), ""
		complete, gone := !w.now.Before(end), !upTo.Before(end)
		switch {
		case !open.changed:
		case open.given && (caughtUp || gone):
			kind = "corrected"
		case gone, complete && caughtUp:
			kind = "final"
		case w.early && caughtUp:
			kind = "early"
		}
		if kind != "" {
			rows = append(rows, result{at, slices.Sorted(slices.Values(open.ids)), kind})
			open.changed, open.given = false, open.given || complete
		}
		if gone {
			delete(w.open, at)
		}
	}
	if w.closed.Before(upTo) || len(rows) > 0 {
		w.closed = upTo
		return w.handOn(ctx, rows, upTo)
	}
	return nil
}

func (w *windowing) handOn(ctx context.Context, rows []result, upTo flow.Watermark) error {
	if len(rows) == 0 {
		w.f.Durable(upTo)
		return nil
	}
	return w.deliver(ctx, rows, w.f.Receipt(upTo))
}

// deliver hands results on in pages of two, which settle the receipt.
func (w *windowing) deliver(ctx context.Context, rows []result, receipt *flow.Receipt) (err error) {
	more := w.account.Reservation()
	more.AddReceipt(receipt)
	more.Emit()
	defer func() { more.Finish(err) }()
	for some := range slices.Chunk(rows, 2) {
		p := &flow.Page[result]{Rows: some, Reservation: w.account.Reservation()}
		p.Take(more, 0)
		p.Emit()
		err = w.out.Next(ctx, p)
		if p.Finish(err); err != nil {
			return err
		}
	}
	return nil
}

func (w *windowing) Done(ctx context.Context, stopped bool) error {
	if stopped {
		w.f.Abandon()
		return w.out.Done(ctx, true)
	}
	w.now = flow.Forever
	if err := w.give(ctx); err != nil {
		return err
	}
	return w.out.Done(ctx, false)
}
