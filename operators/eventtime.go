package operators

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

// EventTime says, with each page, how far event time has come in the page's part (flow.Watermark):
// to the latest time of a row so far, less OutOfOrderness. Windows behind it close by that.
//
//	readings := source.Tail[Reading](session, "iot.readings", buckets)
//	timed := operators.EventTime(readings, func(r Reading) (time.Time, error) { return r.At, nil },
//		operators.OutOfOrderness(10*time.Second), operators.MaxAhead(time.Minute),
//		operators.IdleAfter(time.Minute))
//
// Put it right behind the source, or behind operators that keep each row with its part (Map,
// Filter, FlatMap, Merge, Concat, Retry). Rows of several parts in one page have no place from
// which a watermark could be said: such a page ends the run, with an error that says so. What the
// source, or an EventTime before it, has said of watermarks is replaced.
//
// The watermark of a part never goes back, and pages without rows say it too. Those of different
// parts have nothing to do with each other; a stage that needs one for all takes the least
// (flow.EventClock).
//
// An error of at belongs to its row (rxcql.WithRowErrors): by default it ends the stream, else the
// row is left out. So does a time that cannot be used: the zero time.Time, one more than 278,000
// years from 1970, and one beyond MaxAhead. A row that is left out moves no watermark.
//
// Order is kept, one row out for each row in, a page at a time. It keeps some words for each part
// that has not ended, and no rows. It is resumable: a run that goes on begins without a watermark,
// and has one with the first rows.
func EventTime[T any](in rxcql.Stream[T], at func(T) (time.Time, error), opts ...EventTimeOption) rxcql.Stream[T] {
	cfg := eventTimeConfig{wall: time.Now}
	err := option.Apply(opts, &cfg, EventTimeOption.applyEventTime)
	info := rxcql.StageInfo{Name: "EventTime", OneToOne: true, Err: errors.Join(required("the function at", at == nil), err)}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return &eventTiming[T]{eventTimeConfig: cfg, st: st, out: out, at: at, parts: map[flow.PartID]*partTime{}}
	})
}

// Times outside of these are no event times. A null that was decoded into a time.Time is the zero
// Time.
var (
	noTime     = flow.WatermarkAt(time.Time{})
	latestTime = flow.WatermarkAt(time.Unix(1<<43, 0))
	firstTime  = flow.WatermarkAt(time.Unix(-1<<43, 0))
)

var (
	errNoTime  = errors.New("the row's event time is the zero time.Time: it may be null")
	errOutside = errors.New("the row's event time is more than 278,000 years from 1970")
	errNoPart  = errors.New("rows of several parts come in one page, so that none of them says how far event time is: " +
		"put EventTime before the operator that mixes them, right behind the source")
)

// partTime is how far event time is in a part.
type partTime struct {
	latest flow.Watermark // of its rows
	said   flow.Watermark
	idle   *flow.Idle // since when it is idle; nil if it is not
}

type eventTiming[T any] struct {
	eventTimeConfig
	st    *rxcql.Stage
	out   flow.Observer[T]
	at    func(T) (time.Time, error)
	parts map[flow.PartID]*partTime
	rows  []T // the rows of a page that are left, if one failed
}

func (t *eventTiming[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	switch {
	case p.Range == flow.AllParts:
		if p.Last {
			maps.DeleteFunc(t.parts, func(id flow.PartID, _ *partTime) bool { return id.Source == p.Source })
		}
		return flow.HandOn(ctx, p, p.Rows, t.out)
	case p.Range < 0 && len(p.Rows) > 0:
		return t.st.Fail(errNoPart)
	case p.Range < 0:
		return flow.HandOn(ctx, p, p.Rows, t.out)
	}
	part := t.parts[p.PartID()]
	if part == nil {
		part = &partTime{}
		t.parts[p.PartID()] = part
	}
	rows, err := t.look(ctx, p, part)
	if err != nil {
		return err
	}
	if p.Last {
		delete(t.parts, p.PartID())
	}
	said := p.Advance()
	defer p.Say(said) // the page may be another branch's too
	p.Watermark = t.watermark(part, said)
	if len(rows) < len(p.Rows) {
		return handOn(ctx, p, rows, t.out)
	}
	return flow.HandOn(ctx, p, rows, t.out)
}

// look notes the times of a page's rows, and returns the rows that have one.
func (t *eventTiming[T]) look(ctx context.Context, p *flow.Page[T], part *partTime) (rows []T, err error) {
	latest, limit := part.latest, latestTime
	if t.limited && len(p.Rows) > 0 {
		limit = flow.WatermarkAt(t.wall().Add(t.ahead))
	}
	bad := 0
	for i := range p.Rows {
		if i%block == block-1 { // at may be slow
			if err := left(ctx, t.st, len(p.Rows)); err != nil {
				return nil, err
			}
		}
		at, err := t.at(p.Rows[i])
		w := flow.WatermarkAt(at)
		if err == nil && w != noTime && !limit.Before(w) && !w.Before(firstTime) {
			if latest.Before(w) {
				latest = w
			}
			if bad > 0 {
				t.rows = append(t.rows, p.Rows[i])
			}
			continue
		}
		if err := t.failed(ctx, p, i, w, err); err != nil {
			return nil, err
		}
		if bad++; bad == 1 {
			t.rows = append(t.rows[:0], p.Rows[:i]...) // the page's own slice must not be changed
		}
	}
	part.latest = latest
	if bad > 0 {
		return t.rows, nil
	}
	return p.Rows, nil
}

// failed tells the run of a row without a time, or with one that cannot be used.
func (t *eventTiming[T]) failed(ctx context.Context, p *flow.Page[T], i int, at flow.Watermark, err error) error {
	if err != nil {
		return failed(ctx, t.st, p, i, err)
	}
	switch {
	case at == noTime:
		err = errNoTime
	case at.Before(firstTime) || latestTime.Before(at):
		err = errOutside
	default:
		err = fmt.Errorf("the row's event time is further ahead of now than MaxAhead (%v)", t.ahead)
	}
	return t.st.RowFailed(ctx, p.Reservation, rxcql.FailedRow{Position: p.Position, Index: i, Row: p.Rows[i], Err: err})
}

// watermark returns what is said behind a page of the part.
func (t *eventTiming[T]) watermark(part *partTime, page flow.Advance) flow.Watermark {
	if part.latest.Known() {
		part.goOn(part.latest.Time().Add(-t.late))
	}
	switch {
	case page.Idle == nil:
		part.idle = nil
		return part.said
	case part.idle == nil:
		part.idle = page.Idle
	}
	if !t.idles {
		return part.said
	}
	if until, is := page.Idle.Until(part.idle, t.idle); is && !until.IsZero() {
		part.goOn(until.Add(-t.late).Add(-page.Source.Overlap()))
	}
	return part.said
}

func (p *partTime) goOn(to time.Time) {
	if w := flow.WatermarkAt(to); p.said.Before(w) {
		p.said = w
	}
}

func (t *eventTiming[T]) Done(ctx context.Context, stopped bool) error {
	return t.out.Done(ctx, stopped)
}
