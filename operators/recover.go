package operators

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

// RecoverOption says after which errors Recover goes over to its other stream.
type RecoverOption interface{ applyRecover(*recoverConfig) error }

type recoverConfig struct{ may func(error) bool }

type recoverIf func(error) bool

// RecoverIf has Recover go over to its other stream after errors for which fn returns true, and end
// with all others. Default: after all errors that it may recover from. fn is asked once.
func RecoverIf(fn func(err error) bool) RecoverOption { return recoverIf(fn) }

func (fn recoverIf) applyRecover(c *recoverConfig) error {
	c.may = fn
	return required("the function of RecoverIf", fn == nil)
}

// Recover reads a stream, and if it fails goes over to another one, which is read from its
// beginning to its end:
//
//	near := source.Table[Flight](here, "air.flights")
//	far := source.Table[Flight](there, "air.flights")
//	rows := operators.Recover(near, far)
//
// Rows that were handed on before the failure stay, and those of the other stream come behind them.
// So where both have the same rows, some come twice. Rows of the first stream that were under way
// when it failed, and all that it would still have given, are lost on purpose. So the run is not
// Complete, and Report.EndedBy names Recover.
//
// Which of several streams follows may depend on the error: put one Recover around another, each
// with a RecoverIf of its own. An error of the second stream ends it, and the error of the first is
// joined to that.
//
// It never recovers from a panic, a cancel, an error of what follows it, and from what says that
// the run cannot go on so (see rxcql.Attempt). After Pipeline.Stop it goes over to nothing: an
// error is then that of the run. Pipeline.Check looks at both streams, and each has its part of the
// budget from the beginning.
//
// Order is kept, of one stream and then of the other. Recover holds nothing and has no goroutine of
// its own. Parts of the first stream do not end where it fails, so GroupAdjacent and
// DistinctAdjacent stand before it, not behind it.
//
// It is not resumable.
func Recover[T any](in, other rxcql.Stream[T], opts ...RecoverOption) rxcql.Stream[T] {
	cfg := recoverConfig{may: func(error) bool { return true }}
	info := rxcql.StageInfo{
		Name: "Recover", Synchronous: true, MixesRows: true, Attempts: true, NotResumable: true, Err: option.Apply(opts, &cfg, RecoverOption.applyRecover),
		NotResumableReason: "no checkpoint says which of its streams a run had gone over to; leave it out, since a job that has failed goes on when it is run again, or use Retry",
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		a := in.Attempt(ctx, st, out)
		if a.Failed && !isStopping(st) && cfg.may(a.Err) {
			failed := a.Err
			a.Leave(ctx)
			if a = other.Attempt(ctx, st, out); a.Failed {
				return errors.Join(a.Err, failed)
			}
		}
		if a.Err != nil {
			return a.Err
		}
		return out.Done(ctx, a.Stopped)
	}, in, other)
}
