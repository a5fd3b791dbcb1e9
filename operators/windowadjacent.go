package operators

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/window"
)

// WindowAdjacent is Window for rows that come in time order within each partition, as those of a
// table do whose first clustering column is the time. It closes windows as it goes and needs no
// watermarks, so it folds a table of any size in flat memory. The key must be determined by the
// partition key; at is a row's event time.
//
//	readings := source.Table[Reading](session, "weather.readings")
//	perHour := operators.WindowAdjacent(readings, operators.Tumbling(time.Hour),
//		func(r Reading) time.Time { return r.At },
//		func(r Reading) string { return r.Sensor },
//		func() float64 { return 0 },
//		func(max float64, r Reading) (float64, error) { return math.Max(max, r.Celsius), nil })
//
// Windows are those of Window, sessions too; MergeStates is not needed. All results are Final: rows
// are never late. Times may go down as well (CLUSTERING ORDER BY (at DESC)), if they do in all
// partitions. A row whose window is before that of the row before it, or behind it where times go
// down, ends the stream with ErrOutOfOrder. In one window rows may come in any order.
//
// Order and memory: the windows of a partition are handed on in the order in which they end in the
// stream: by time, and backward where times go down. For each range being read, WindowAdjacent
// holds the states of the windows that the last row is in, one unless they are hopping, which are
// not charged to the budget, and the receipts of the pages that these came from. They settle when
// the windows are durable. Watermarks are handed on as far as the beginning of the open windows of
// their part. It works in the goroutine that brings the rows, and windows that end in one page go
// on together, in pages of up to 512.
//
// Early ends and errors are as with GroupAdjacent: windows open when an operator upstream ends the
// stream on purpose (Take) are handed on as they are; after Pipeline.Stop they are dropped and
// their pages are left unsettled. The zero time.Time, which a null is decoded into, and a time that
// is more than 146,000 years from 1970 are errors of their rows. An error of fold ends the stream.
//
// In a job with a checkpoint it is as GroupAdjacent too, with windows in place of groups: the
// checkpoint has a hash of the key and the windows that were open at a position; these are durable
// as a whole, and rows that are read again are left out of them and counted as filtered. A file
// that has grown by rows of its last window is rxcql.ErrCheckpointForeign, and so are other
// windows. It cannot stand before a sink that writes a file, nor in Lanes.
func WindowAdjacent[T any, K comparable, S any](in rxcql.Stream[T], windows Windows, at func(T) time.Time, key func(T) K,
	seed func() S, fold func(state S, row T) (S, error),
) rxcql.Stream[WindowResult[K, S]] {
	info := rxcql.StageInfo{
		Name: "WindowAdjacent", HoldsRows: true, Adjacent: true,
		Err: errors.Join(windows.err(), required("the function of the event time", at == nil), required("the key function", key == nil),
			required("the seed function", seed == nil), required("the fold", fold == nil)),
	}
	info.NotResumable, info.NotResumableReason = unknownKeys(reflect.TypeFor[K]())
	if in.MixesRows() {
		info.Err = errors.Join(info.Err, errMixed(info.Name))
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[WindowResult[K, S]]) error {
		w := &adjacentWindows[T, K, S]{
			st: st, out: out, account: st.Account(false), at: at, key: key, seed: seed, fold: fold,
			windows: windows.String(), parts: map[flow.PartID]*adjacentPart[K, S]{},
		}
		if windows.kind == kindSession {
			w.gap = windows.size.Microseconds()
		} else {
			w.grid = windows.grid()
		}
		err := in.Subscribe(ctx, st, w)
		for _, part := range w.parts {
			for i := range part.open {
				part.open[i].finish(err)
			}
			part.letGo()
		}
		if w.held != nil {
			w.held.Finish(err)
		}
		return err
	}, in)
}

// adjacentWindows is one run of WindowAdjacent.
type adjacentWindows[T any, K comparable, S any] struct {
	st      *rxcql.Stage
	out     flow.Observer[WindowResult[K, S]]
	account *flow.Account
	at      func(T) time.Time
	key     func(T) K
	seed    func() S
	fold    func(S, T) (S, error)
	windows string
	grid    window.Grid
	gap     int64 // of sessions; 0 for other windows

	parts     map[flow.PartID]*adjacentPart[K, S]
	direction int                  // of times within partitions: 1, -1, or 0 while that is not known
	ended     []WindowResult[K, S] // in this page, reused
	held      *flow.Reservation    // of windows that ended in this page and have rows of pages before it
}

// adjacentPart is what is known of a part that is being read.
type adjacentPart[K comparable, S any] struct {
	key    K                   // of the last row
	begun  bool                // there was one
	keys   int                 // how many there were
	open   []adjacentWindow[S] // with the last row in them, in the order of their times
	lo, hi int64               // the starts of its first and last window; of a session its start and end
	from   int64               // times from here up to to have the same windows
	to     int64
	was    struct{ lo, hi int64 } // the session before the open one; none of the key if empty

	said  flow.Watermark // by the part
	told  flow.Watermark // downstream
	past  *durableWindows
	asked bool         // whether it has a past
	again bool         // some of the windows that the last row is in are durable
	pages []openedPage // of a source that may grow: those with rows in open windows
}

// adjacentWindow is an open window.
type adjacentWindow[S any] struct {
	start, end  int64
	value       S
	rows        int64
	reservation *flow.Reservation // receipts of the pages before the one at hand that it came from; nil if none
}

func (w *adjacentWindow[S]) finish(err error) {
	if w.reservation != nil {
		w.reservation.Finish(err)
	}
}

// wrongOrder is the error of a row that is on the wrong side of the one before it.
func (w *adjacentWindows[T, K, S]) wrongOrder(p *flow.Page[T], row int) error {
	return w.st.Fail(&rxcql.RowError{Range: p.Part(), Page: p.Page, Row: p.RowIndex(row), Err: errNotInTime})
}

var errNotInTime = fmt.Errorf("%w: the window of the row is on the other side of that of the row before it than those of earlier rows were, "+
	"and it has the same key: rows of a partition must come in time order, or all backward; give the partition key as key, "+
	"and a clustering column of that order as time, or use Window", ErrOutOfOrder)
