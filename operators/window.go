package operators

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

// Window folds the rows of each key in each window of event time, and hands on one result for each
// when event time has come to the window's end. at is a row's event time, key what the rows are
// told apart by; seed makes the state that a key begins with in a window. It is called for each, so
// a map or a pointer belongs to that one alone.
//
//	perMinute := operators.Window(timed, operators.Tumbling(time.Minute),
//		func(r Reading) time.Time { return r.At },
//		func(r Reading) string { return r.Sensor },
//		func() float64 { return 0 },
//		func(max float64, r Reading) (float64, error) { return math.Max(max, r.Celsius), nil },
//		operators.WindowKeys(100_000))
//
// How far event time is: as far as the watermarks of all open parts of all sources (EventTime sets
// them; see flow.EventClock), the least of them. At the end of the stream all windows are closed.
// So over a source without watermarks, such as source.Table, whose rows come in the order of their
// tokens and not of time, all results come at the end, within the bound. A stream that never ends,
// such as source.Tail, needs an EventTime before the windows: without one there is no result at
// all, and the run ends with ErrWindowFull at the bound. Where rows of a partition come in time
// order WindowAdjacent does it in flat memory.
//
// Bounds: at least one of WindowKeys and WindowBytes must be given. At the bound the stream ends
// with ErrWindowFull, and no window is handed on that is not whole. States are measured as GroupBy
// measures them.
//
// Late rows: a row is late for a window that is over, which is at its end, or AllowedLateness
// later. A row that is late for one or more of its windows is counted (Report.LateRows,
// Hooks.RowsLate). One that is in no window is dropped, and counted as filtered too. LateRows and
// WindowWithLate give such rows to you. A row is late for a session if its own window, the gap
// behind it, is over and its time is not inside of a session that is not. Which rows are late
// depends on what came before them, and may differ from run to run where several parts are read at
// once; see below for what does not.
//
// The zero time.Time, which a null is decoded into, and a time that is more than 146,000 years from
// 1970 are errors of their rows (rxcql.WithRowErrors). Times are cut to microseconds. An error of
// fold, or of MergeStates, ends the stream, whatever rxcql.WithRowErrors says: without the row the
// state would be wrong.
//
// Order: results come in the order of the ends of their windows, and those of one window in the
// order of the first rows of their keys; in pages of up to 512, in the goroutine that brings the
// rows. Early results come in the same order among themselves, and so do corrected ones, those of
// one window by their first late rows. The event time of a result is the end of its window.
// Watermarks, and the ends of parts, go on behind the results of the windows that they close, held
// back by AllowedLateness: so no result comes behind them.
//
// It holds the states, charged to the budget (the run ends with flow.BudgetHeldError where that has
// no room for a page as well: give WithBudget more than the bound), and the receipt of each page
// (about 100 bytes) until the last window of each of its rows is over and durable. How many pages
// that are is in the report. A key that is a string is copied; other keys, and what a state refers
// to, are kept as they are. A fold that keeps a rxcql.Row should Clone it.
//
// Ends: if an operator upstream ends the stream on purpose (Take), open windows are handed on as
// they are, as GroupAdjacent does. If reading is stopped (Pipeline.Stop), windows that are not over
// are not handed on, and their pages are left unsettled, to be read again.
//
// In a job with a checkpoint:
//
//   - What is counted is counted once: pages are settled when their windows are durable, and rows
//     that are read again are left out of windows that were durable when the checkpoint was saved
//     (they are counted as filtered). Results that were not are handed on again, so the sink must
//     bear a result twice: upsert by Key and Start. File sinks are refused. A session may be handed
//     on again with another Start, where a row that was late is in time after a crash.
//   - No early and no corrected result is handed on before all is read that the run before had
//     read: otherwise it would replace a whole one by one of some rows.
//   - at, key and fold may keep no state from row to row other than that of the window. Windows and
//     AllowedLateness must be the same in each run; key must be too, which is not looked at.
//   - For Session keys must be made of numbers, strings, arrays and structs (of a time.Time its
//     UnixMicro), since the checkpoint has a hash of each key with a session that ended in the last
//     gap before event time, or after the beginning of the oldest that is open, up to a bound
//     (rxcql.CheckpointSessions). Up to 65,536 keys are kept until event time has passed the last
//     of these ends.
//   - It cannot be in Lanes, whose keys change lanes from run to run.
//   - In a file that grows, rows of windows that were handed on at its end are late.
func Window[T any, K comparable, S any](in rxcql.Stream[T], windows Windows, at func(T) time.Time, key func(T) K,
	seed func() S, fold func(state S, row T) (S, error), opts ...WindowOption,
) rxcql.Stream[WindowResult[K, S]] {
	result := func(r WindowResult[K, S]) WindowResult[K, S] { return r }
	return windowed("Window", in, windows, windowing[T, K, S, WindowResult[K, S]]{
		at: at, key: key, seed: seed, fold: fold, result: result,
	}, opts)
}

// WindowWithLate is Window, and hands on late rows as well, as they come, each once: so they can go
// to a sink of their own, by sink.Route. In a job each late row is durable there before its page
// counts as read, so it may come again and is not lost.
//
//	type Out = operators.WindowOrLate[Reading, string, float64]
//	out := operators.WindowWithLate(timed, operators.Tumbling(time.Minute), at, sensor, zero, max,
//		operators.WindowKeys(100_000))
//	report, err := rxcql.Run(ctx, out, sink.Route(func(o Out) int {
//		if o.IsLate {
//			return 1
//		}
//		return 0
//	},
//		sink.Through(results, sink.Table[Maximum](session, "weather.maxima")),
//		sink.Through(lateRows, sink.Table[Reading](session, "weather.late"))))
//
// Late rows of a page come together, in their order, before results of windows that the page
// closes. They are behind the watermark, as it says of no result. They are counted as late, and not
// as dropped.
func WindowWithLate[T any, K comparable, S any](in rxcql.Stream[T], windows Windows, at func(T) time.Time, key func(T) K,
	seed func() S, fold func(state S, row T) (S, error), opts ...WindowOption,
) rxcql.Stream[WindowOrLate[T, K, S]] {
	result := func(r WindowResult[K, S]) WindowOrLate[T, K, S] { return WindowOrLate[T, K, S]{Window: r} }
	late := func(row T, missed int) WindowOrLate[T, K, S] {
		return WindowOrLate[T, K, S]{Row: row, Missed: missed, IsLate: true}
	}
	return windowed("WindowWithLate", in, windows, windowing[T, K, S, WindowOrLate[T, K, S]]{
		at: at, key: key, seed: seed, fold: fold, result: result, late: late,
	}, opts)
}

// windowed makes the stream of either. of has the functions.
func windowed[T any, K comparable, S, U any](name string, in rxcql.Stream[T], windows Windows, of windowing[T, K, S, U], opts []WindowOption) rxcql.Stream[U] {
	var cfg windowConfig
	errs := []error{
		windows.err(), required("the function of the event time", of.at == nil), required("the key function", of.key == nil),
		required("the seed function", of.seed == nil), required("the fold", of.fold == nil),
		option.Apply(opts, &cfg, WindowOption.applyWindow),
	}
	var err error
	of.merge, of.lateRow, err = functionsOf[T, S](&cfg, windows)
	errs = append(errs, err)
	info := rxcql.StageInfo{
		Name: name, MixesRows: true, HoldsRows: true, Frontier: true,
		Facts: windows.facts(cfg.lateness), Err: errors.Join(errs...),
	}
	if windows.kind == kindSession {
		info.NotResumable, info.NotResumableReason = unknownKeys(reflect.TypeFor[K]())
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[U]) error {
		w := of
		w.begin(st, out, cfg, windows)
		err := in.Subscribe(ctx, st, &w)
		w.charge.reservation.Release()
		switch {
		case flow.IsEnd(err): // nothing more is needed: what is held was dropped on purpose
			w.frontier.Durable(flow.Forever)
		case err != nil:
			w.frontier.GiveUp()
		}
		return err
	}, in)
}
