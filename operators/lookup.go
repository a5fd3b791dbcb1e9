package operators

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync/atomic"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/option"
)

// Found is what a look-up found for a row.
//
// Rows that bind to equal values may share it: do not change what is in it, or what that refers to.
type Found[V any] struct {
	// Row is the row that was found, or the zero V if there is none. With LookupAll it is the
	// first.
	Row V
	// OK reports whether there is a row. A column of it that is null is what it is in a V
	// elsewhere, such as a nil pointer.
	OK bool
	// Rows are all rows, in the order of the server. It is nil without LookupAll, and if there are
	// none.
	Rows []V
}

// ErrNoKey is for the function of Lookup that binds: it returns it for a row that has nothing to be
// looked up by, such as one whose column is null. The server is not asked, and nothing is found.
var ErrNoKey = errors.New("operators: the row has no key to be looked up by")

// Lookup joins each row with what a SELECT finds for it. bind returns the values for the
// statement's bind markers, in order; they are encoded as those of sink.Exec before it is called
// again, so it may use memory again. join makes the row that is handed on of the row and what was
// found:
//
//	named := operators.Lookup(orders, session, "SELECT name FROM customers WHERE id = ?",
//		func(o Order) ([]any, error) { return []any{o.Customer}, nil },
//		func(o Order, found operators.Found[string]) (Order, error) {
//			o.Name = found.Row // empty if there is no such customer: found.OK tells
//			return o, nil
//		})
//
// V is a struct with cql tags, a single value, or rxcql.Row, as for source.Query. A statement may
// find no row or one. More than one is an error of the row that was looked up; if you want the
// first of several give the statement a LIMIT 1, and for all of them see LookupAll.
//
// Concurrency: up to 256 look-ups (LookupInFlight) are in flight at once, and fewer while the
// server answers that it has too much to do; the log says so, and Hooks.InFlightLimit. Rows with
// the same bytes for all values are looked up once while that is in flight, and with LookupCache
// also afterwards. bind is called by one goroutine, in the order of the rows; join by many at the
// same time. The stream before Lookup runs in a goroutine of its own, and each look-up in flight
// has one.
//
// Order: results are in the order of the rows, unless Unordered is given; then rows of one
// partition no longer arrive together. Results go on as soon as they are ready, in pages of what
// has gathered meanwhile.
//
// Memory: it holds up to 4 rows and results for each look-up that may be in flight (2 with
// Unordered), all charged to the budget, and what is found for those in flight. When downstream is
// slow, rows wait upstream.
//
// Errors: a look-up that fails in a way that may pass is repeated, see rxcql.WithRetry. If it still
// fails the stream ends with a rxcql.StageError. These are errors of the row (rxcql.WithRowErrors):
// those of bind and join, values that cannot be encoded or that the server refuses, and what is
// found if it cannot be decoded, has too many rows or is too large. If several rows wait for one
// look-up that fails, it is an error of each. Anything else ends the stream, such as missing
// permissions or too many tombstones.
//
// Check has the server prepare the statement, and returns rxcql.ErrSchema if it does not parse, has
// no bind markers, or its columns do not fit V. If types that values were encoded for change in the
// course of a run, or the table is dropped or made again, the run ends with rxcql.ErrSchema.
//
// It is resumable: rows that were at work are looked up again. What it finds is read at different
// times, so a run that goes on may find something else than the one before.
func Lookup[T, V, U any](in rxcql.Stream[T], session *gocql.Session, cql string,
	bind func(row T) ([]any, error), join func(row T, found Found[V]) (U, error), opts ...LookupOption,
) rxcql.Stream[U] {
	cfg := lookupConfig{inFlight: DefaultLookupInFlight}
	ses, sessionErr := driver.Wrap(session)
	errs := []error{
		sessionErr, required("the function that binds", bind == nil), required("the function that joins", join == nil),
		option.Apply(opts, &cfg, LookupOption.applyLookup),
	}
	if !isRow[V]() {
		_, _, err := codec.Columns[V]()
		errs = append(errs, err)
	}
	if strings.TrimSpace(cql) == "" {
		errs = append(errs, errors.New("the statement is empty"))
	}
	var last atomic.Pointer[lookupAim]
	info := rxcql.StageInfo{
		Name: "Lookup", OneToOne: !cfg.unordered, MixesRows: cfg.unordered, Err: errors.Join(errs...),
		Check: func(ctx context.Context) error {
			aim, err := aimLookup[V](ctx, ses, cql)
			if err == nil {
				last.Store(aim)
			}
			return err
		},
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[U]) error {
		aim := last.Load()
		if aim == nil { // the run was not preceded by a check
			var err error
			if aim, err = aimLookup[V](ctx, ses, cql); err != nil {
				return st.Fail(err)
			}
		}
		n := int64(cfg.inFlight)
		window := 2 * n // rows wait for a goroutine, so that one that is done finds its next
		if !cfg.unordered {
			window = aheadOfOldest * n
		}
		f := newConcurrency[T, U](st, n, window, cfg.unordered)
		f.slot += lookupSlot
		err := f.run(ctx, in, out, func(ctx context.Context, group *rxcql.TaskGroup) calls[T, U] {
			return newLookups(ctx, group, f, newAsker[V](st, ses, &cfg, aim), bind, join)
		})
		if err == nil { // requests that were on their way when the table changed have not seen it
			err = st.Fail(rxcql.Retry(ctx, driver.MayPass, func() error { return aim.encoding.Unchanged(ctx) }))
		}
		if err != nil {
			return err
		}
		return out.Done(ctx, f.stopped)
	}, in)
}

func isRow[V any]() bool { return reflect.TypeFor[V]() == reflect.TypeFor[rxcql.Row]() }
