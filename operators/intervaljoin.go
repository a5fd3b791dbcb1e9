package operators

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

// ErrIntervalJoinFull is the kind of error of an IntervalJoin that would have to keep more rows
// than it may.
var ErrIntervalJoinFull = errors.New("rxcql: IntervalJoin has no room for more rows")

// IntervalJoinOption bounds what IntervalJoin keeps.
type IntervalJoinOption interface {
	applyIntervalJoin(*intervalJoinConfig) error
}

type intervalJoinConfig struct{ rows, bytes int64 }

type (
	intervalJoinRows  int64
	intervalJoinBytes int64
)

// IntervalJoinRows is how many rows of both sides IntervalJoin keeps at most.
func IntervalJoinRows(n int64) IntervalJoinOption { return intervalJoinRows(n) }

// IntervalJoinBytes is how many bytes the rows that IntervalJoin keeps take at most: with their
// keys, and what it needs to find them.
func IntervalJoinBytes(n int64) IntervalJoinOption { return intervalJoinBytes(n) }

func (n intervalJoinRows) applyIntervalJoin(c *intervalJoinConfig) error {
	c.rows = int64(n)
	return atLeast("IntervalJoinRows", int64(n), 1)
}

func (n intervalJoinBytes) applyIntervalJoin(c *intervalJoinConfig) error {
	c.bytes = int64(n)
	return atLeast("IntervalJoinBytes", int64(n), 1)
}

// IntervalJoin joins two streams by key and event time: a row on the left at t with each row on the
// right that has the same key and a time from t + lower to t + upper, both included. Either may be
// negative.
//
//	clicked := operators.IntervalJoin(shown, clicks,
//		func(s Shown) time.Time { return s.At }, func(c Click) time.Time { return c.At },
//		func(s Shown) string { return s.Ad }, func(c Click) string { return c.Ad },
//		0, 10*time.Minute, // clicks from the moment that it was shown to ten minutes later
//		operators.IntervalJoinRows(1_000_000))
//
// It is an inner join, as in Flink: rows without a partner are dropped, and counted as filtered
// when none can come any more. n rows on the left and m on the right that are in reach of each
// other make n × m pairs.
//
// Event time is as in Window: the least of the watermarks of all open parts of both sides. A row is
// kept until event time has passed the last moment at which a partner may be. A row before event
// time is late: rows that it would have been joined with may be gone. So it is joined with none,
// counted (Report.LateRows, Hooks.RowsLate), and counted as filtered. To wait for longer give
// EventTime more OutOfOrderness. The zero time.Time, which a null is decoded into, and a time that
// is more than 146,000 years from 1970 are errors of their rows. Times are cut to microseconds. A
// key that does not equal itself (NaN) has no partners.
//
// Order: a pair is handed on when the later of its rows comes, so no pair waits for a watermark.
// Pairs come in the order in which these later rows come, and those of one such row by the times of
// their other rows; of equal times the one that came first is first. Which side's page comes first
// is up to their sources: where it does not matter which, the pairs are the same.
//
// The event time of a pair is the later one of its rows, and the watermark of each part goes on as
// far as event time of both sides. To put a Window behind it that goes by the time of the other row
// set watermarks anew by EventTime, whose OutOfOrderness covers lower and upper. Both sides are
// read at once, each in a goroutine of its own, and pages go on one at a time, in the goroutine
// that reads the stream.
//
// Bounds: at least one of IntervalJoinRows and IntervalJoinBytes must be given. At the bound the
// stream ends with ErrIntervalJoinFull. A side that is ahead of the other in event time is kept
// until the other has come as far, and over sources without watermarks, such as source.Table, all
// rows are kept to the end. Rows that are kept are charged to the budget (give WithBudget more than
// the bound), and of each of their pages the receipt is held (about 100 bytes) until the rows are
// dropped. A key that is a string is copied; other keys are kept as they are.
//
// If reading is stopped (Pipeline.Stop), the pages of rows that are kept are left unsettled, to be
// read again.
//
// In a job with a checkpoint each pair is handed on at least once: a page is settled when event
// time has passed all that its rows may be joined with, and their pairs are durable. So the sink
// must bear a pair twice: upsert by what names the two rows. File sinks are refused, and so is
// IntervalJoin behind Window, before it, or together with Retry. Which rows are late may differ
// from run to run, but a row that comes too late for a partner which a run before has dropped is
// late. lower and upper must be the same in each run. In a file that grows, rows that are in reach
// of its last ones are late.
func IntervalJoin[L, R any, K comparable](left rxcql.Stream[L], right rxcql.Stream[R], leftAt func(L) time.Time, rightAt func(R) time.Time,
	leftKey func(L) K, rightKey func(R) K, lower, upper time.Duration, opts ...IntervalJoinOption,
) rxcql.Stream[rxcql.Pair[L, R]] {
	var cfg intervalJoinConfig
	errs := []error{
		required("the function of the event time of the left side", leftAt == nil), required("the function of the event time of the right side", rightAt == nil),
		required("the key function of the left side", leftKey == nil), required("the key function of the right side", rightKey == nil),
		wholeMicros("lower", lower), wholeMicros("upper", upper),
	}
	if lower > upper {
		errs = append(errs, fmt.Errorf("lower is %v and upper %v: no time is in between", lower, upper))
	}
	wrong := option.Apply(opts, &cfg, IntervalJoinOption.applyIntervalJoin)
	if wrong == nil && cfg == (intervalJoinConfig{}) {
		wrong = errors.New("no bound: give IntervalJoinRows or IntervalJoinBytes")
	}
	info := rxcql.StageInfo{
		Name: "IntervalJoin", MixesRows: true, HoldsRows: true, Frontier: true,
		Facts: []rxcql.Fact{{Name: "lower", Value: lower.String()}, {Name: "upper", Value: upper.String()}},
		Err:   errors.Join(append(errs, wrong)...),
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[rxcql.Pair[L, R]]) error {
		j := newIntervalJoining(st, out, cfg)
		l := newIntervalSide[L, R](j, leftAt, leftKey, lower, upper, func(row L, other R) rxcql.Pair[L, R] {
			return rxcql.Pair[L, R]{Left: row, Right: other, HasLeft: true, HasRight: true}
		})
		r := newIntervalSide[R, L](j, rightAt, rightKey, -upper, -lower, func(row R, other L) rxcql.Pair[L, R] {
			return rxcql.Pair[L, R]{Left: other, Right: row, HasLeft: true, HasRight: true}
		})
		l.other, r.other = r.kept, l.kept
		j.sides = [2]keeping{l.kept, r.kept}
		err := border(ctx, func(ctx context.Context, post poster) error {
			group, ctx := st.TaskGroup(ctx)
			var errs [2]error
			group.Go(func() error { errs[0] = left.Subscribe(ctx, st, l.across(post)); return errs[0] })
			group.Go(func() error { errs[1] = right.Subscribe(ctx, st, r.across(post)); return errs[1] })
			return rxcql.FirstFailure(errs[0], errs[1], group.Wait())
		})
		return j.end(ctx, err)
	}, left, right)
}
