package operators

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

// ErrZipLength is the kind of error of a Zip with ZipStrict whose streams differ in length.
var ErrZipLength = errors.New("rxcql: the streams of Zip differ in length")

// ZipOption changes how Zip ends.
type ZipOption interface{ applyZip(*zipConfig) error }

type zipConfig struct{ strict bool }

type strictly struct{}

// ZipStrict makes it an error, ErrZipLength, if one stream has more rows than the other.
func ZipStrict() ZipOption { return strictly{} }

func (strictly) applyZip(c *zipConfig) error {
	c.strict = true
	return nil
}

// Zip combines the rows of two streams in pairs, by position: the first with the first, the second
// with the second, and so on.
//
// Order is kept. It says something only where both streams have one: a table or a file of parts
// that several workers read, Merge and MapConcurrent with Unordered give another order in each run.
// To pair rows by what is in them use MergeJoin.
//
// Zip ends with the shorter stream, quietly: when one has ended and the other brings one row more,
// that one is ended too. The run is then not Complete, and EndedBy names the stage. So a stream
// that never ends and brings no rows keeps Zip waiting. With ZipStrict rows that are left over are
// an error. If reading is stopped (Pipeline.Stop), rows without a partner are dropped, and their
// pages are left unsettled.
//
// Both streams are read at once, each in a goroutine of its own. Pairs go on when the rows of a
// page are used up, before the next one is waited for. Of each stream a page waits until its rows
// have partners; nothing else is held. A Batch before one of the streams that the budget has no
// room for is a flow.BudgetHeldError, as everywhere.
//
// It is not resumable. An error of combine belongs to its pair (rxcql.WithRowErrors): by default it
// ends the stream, else the pair is left out. As a dead letter it is a rxcql.Pair.
func Zip[A, B, C any](a rxcql.Stream[A], b rxcql.Stream[B], combine func(A, B) (C, error), opts ...ZipOption) rxcql.Stream[C] {
	var cfg zipConfig
	info := rxcql.StageInfo{
		Name: "Zip", MixesRows: true, HoldsRows: true, NotResumable: true,
		NotResumableReason: "when the job goes on each stream begins at another place, and other rows would be paired; " +
			"give rows a key and use MergeJoin, or write both streams to one table by that key",
		Err: errors.Join(required("the function", combine == nil), option.Apply(opts, &cfg, ZipOption.applyZip)),
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[C]) error {
		z := &zipping[A, B, C]{stepping: newStepping(st, out), combine: combine, strict: cfg.strict}
		z.a, z.b = addInput(&z.inStep, a), addInput(&z.inStep, b)
		z.work = z.pair
		return z.finish(ctx)
	}, a, b)
}

type zipping[A, B, C any] struct {
	*stepping[C]
	a       *input[A]
	b       *input[B]
	combine func(A, B) (C, error)
	strict  bool
}

// pair combines the rows at hand.
func (z *zipping[A, B, C]) pair(ctx context.Context) error {
	for z.a.has() && z.b.has() {
		n := min(z.a.rows-z.a.next, z.b.rows-z.b.next, block)
		if ctx.Err() != nil { // combine may be slow
			return context.Cause(ctx)
		}
		if err := z.pairs(ctx, z.a.list[z.a.next:z.a.next+n], z.b.list[z.b.next:z.b.next+n]); err != nil {
			return err
		}
		z.a.next += n
		z.b.next += n
		if z.room() < block {
			if err := z.flush(ctx); err != nil {
				return err
			}
		}
	}
	switch {
	case z.a.over && z.b.has():
		return z.leftOver(ctx, z.a.atHand, z.b.atHand)
	case z.b.over && z.a.has():
		return z.leftOver(ctx, z.b.atHand, z.a.atHand)
	}
	return nil
}

// pairs combines as many rows of one stream as of the other.
func (z *zipping[A, B, C]) pairs(ctx context.Context, as []A, bs []B) error {
	for i := range as {
		c, err := z.combine(as[i], bs[i])
		if err != nil {
			if err := z.failed(ctx, as, bs, i, err); err != nil {
				return err
			}
			continue
		}
		z.made = append(z.made, c)
	}
	return nil
}

// failed tells the run of a pair that combine failed for.
func (z *zipping[A, B, C]) failed(ctx context.Context, as []A, bs []B, i int, err error) error {
	both := z.account.Reservation()
	both.Take(z.a.page, 0)
	both.Take(z.b.page, 0)
	err = z.st.RowFailed(ctx, both, rxcql.FailedRow{
		Position: z.a.page.Position, Index: z.a.next + i, Err: err, Users: true,
		Row: rxcql.Pair[A, B]{Left: as[i], Right: bs[i], HasLeft: true, HasRight: true},
	})
	both.Finish(err)
	return err
}

// leftOver ends the stream when one input has ended, and the other has a row more.
func (z *zipping[A, B, C]) leftOver(ctx context.Context, short, long *atHand) error {
	if short.stopped {
		z.abandon(long)
		return nil
	}
	if err := z.flush(ctx); err != nil {
		return err
	}
	if z.strict {
		which := "first"
		if short == z.a.atHand {
			which = "second"
		}
		return z.st.Fail(&zipLengthError{longer: which})
	}
	if err := z.out.Done(ctx, false); err != nil {
		return err
	}
	return z.st.End()
}

type zipLengthError struct{ longer string }

func (e *zipLengthError) Error() string {
	return ErrZipLength.Error() + ": the " + e.longer + " has more rows; leave out ZipStrict to drop what is left over"
}

func (e *zipLengthError) Unwrap() error { return ErrZipLength }
