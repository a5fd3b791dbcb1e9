package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
)

type adaptiveSplits struct{}

// AdaptiveSplits has Table and TablePair go on where a token range cannot be read at once: because
// a page meets more tombstones than the server allows (tombstone_failure_threshold), or because it
// times out for good, also after the attempts of rxcql.WithRetry. Without it such a page ends the
// run.
//
// What is left of the range is cut in two, and each part again if it fails, down to the rows of one
// token. These are cut further by the values of their clustering columns, one column after the
// other, down to a single row. A part that fails is not tried again by WithRetry before it is cut;
// one that cannot be cut is. So of a million tombstones in a row nothing but time is lost.
//
// What cannot be read at all is named in Report.Unread (but see below for TablePair). The run reads
// and writes everything else. Then it ends with rxcql.UnreadError, and is not Complete. That
// happens to
//
//   - tombstones between two values of a clustering column of a type that cannot be cut: inet,
//     decimal, collections, tuples, user-defined types and vectors;
//   - the static columns of a partition in which nothing but too many tombstones is left, in a
//     table that has any: the server has no way to ask for them alone, or whether there are some;
//   - a row that times out by itself.
//
// Rows that are computed over what is read (sums, windows) lack these rows. If 256 requests in a
// row time out, the run fails: it is the server then, and not the range.
//
// Order is that of Table, and no more is in memory. In a job, a position holds the key of the last
// row and the values between which the range was cut, in their encoded form. The next run asks for
// what was unread again, behind the rest of its range. So rows of one partition may come apart, and
// operators that need them together (GroupAdjacent, DistinctAdjacent, WindowAdjacent) are refused
// behind it. A job that was begun without AdaptiveSplits can go on with it, but not the other way.
//
// The columns of the primary key are read in any case, and handed on only if they were asked for.
//
// TablePair cuts each of its tables by itself, so pairs come in their order and those of a
// partition together. What cannot be read of one table comes as a pair that has no row, and has
// Unread, which says of which keys and of which table. Rows of the other table with these keys are
// left out: they are not of one table only, since nobody knows. That is all that is said of it.
// Such a part is not in Report.Unread, the run may be Complete, and a job does not ask for it
// again. So look at Unread of each pair.
//
// Cut parts are read by clustering slices with ALLOW FILTERING, which here filters nothing: the
// server takes the bounds for those of its index
// (https://cassandra.apache.org/doc/latest/cassandra/developing/cql/dml.html#allow-filtering).
// Two partitions with one token end the run with an error if one of them has to be cut, and so does
// a failure behind a row whose clustering key has a tuple.
func AdaptiveSplits() RangeOption { return adaptiveSplits{} }

func (adaptiveSplits) applyTable(c *readConfig) error {
	c.adaptive = true
	return nil
}

func (adaptiveSplits) applyPair(c *pairConfig) error {
	c.adaptive = true
	return nil
}

// adaptively runs a table source with AdaptiveSplits.
func (t *table[T]) adaptively(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
	plan, err := planSide(ctx, t)
	if err != nil {
		return st.Fail(err)
	}
	ranges, version, err := t.ranges(ctx)
	if err != nil {
		return st.Fail(err)
	}
	id := t.identity(plan.about, plan.cql, version)
	slicing := newSlicing(&plan)
	id.Begun = func(state []byte) error {
		_, err := parseSlicePlace(state, flow.WholeRange, slicing.columns())
		return st.Fail(err)
	}
	done, begun, err := st.Resume(id)
	if err != nil {
		return err
	}
	r := &reading[T]{workers: st.Run().Workers(), unread: new(atomic.Bool)}
	r.reader = newSliced(t, slicing, r.unread)
	r.same = func(ctx context.Context) error { return unchanged(ctx, t.session, plan.about, among(plan.names)) }
	add := func(span flow.TokenRange, track *flow.Track) {
		r.parts = append(r.parts, part{index: len(r.parts), name: span.String(), span: span, track: track})
	}
	for _, track := range begun {
		add(track.Range(), track)
	}
	for _, span := range flow.Remaining(ranges, done, begun) {
		add(span, nil)
	}
	r.ring = func(st *rxcql.Stage) *ringProgress { return newRingProgress(st, ranges, r.parts) }
	return r.run(ctx, st, out)
}

// notSliced refuses the positions of a run with AdaptiveSplits: as a page state they mean nothing.
func notSliced(state []byte) error {
	if isSlicePlace(state) {
		return fmt.Errorf("%w: it is of a run with source.AdaptiveSplits; give the table source that option again", rxcql.ErrCheckpointForeign)
	}
	return nil
}

// mayBeCut reports whether a page that failed so may be read in pieces.
func mayBeCut(err error) bool {
	return slices.Contains([]driver.Class{driver.TooManyTombstones, driver.ReadTimeout, driver.ClientTimeout, driver.ReadFailure}, driver.Classify(err))
}

// tooManyTombstones reports whether asking for a page once more is of no use.
func tooManyTombstones(err error) bool { return driver.Classify(err) == driver.TooManyTombstones }

// notReadError says that a page could not be read, and that the run may go on.
type notReadError struct{ err error }

func (e *notReadError) Error() string { return e.err.Error() }

func (e *notReadError) Unwrap() error { return e.err }

var errNotAllKeys = errors.New("a row came without its key: the server described other columns than it was asked for")
