package sink

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/limiter"
	"github.com/rxcql/rxcql/internal/rx"
)

// requests sends the requests of a sink: as many at once as its limiter allows, and again where
// that is allowed.
type requests struct {
	st      *rxcql.Stage
	limiter *limiter.Limiter
	rate    *rxcql.Rate     // nil without Throttle
	held    context.Context // in which requests wait for rate
	giveUp  context.CancelCauseFunc
	unsure  func(error) bool // whether a request that failed so may have been applied
	about   rxcql.WriteEvent // what hooks are told of all of them
}

func newRequests(st *rxcql.Stage, inFlight int, rate *rxcql.Rate, unsure func(error) bool, about rxcql.WriteEvent) *requests {
	q := &requests{st: st, limiter: limiter.New(inFlight, st.Run().Log(), st.LimitChanged), rate: rate, unsure: unsure, about: about}
	q.held, q.giveUp = context.WithCancelCause(st.Run().Context())
	return q
}

// close gives up the requests that wait for rate. There are none unless the stream has failed: the
// run is about to end, and does not wait for their turn.
func (q *requests) close() { q.giveUp(errGivenUp) }

// of returns what hooks are told of the first attempt at a request.
func (q *requests) of(rows int, bytes int64) rxcql.WriteEvent {
	e := q.about
	e.Rows, e.Bytes, e.Attempt = rows, bytes, 1
	return e
}

// attempt sends once, if the limiter has room before wait ends, and Throttle lets it before the run
// ends. unsure reports whether the request failed and may have been applied; one that was not sent
// is not. send gets ctx, or the context that hooks made of it.
func (q *requests) attempt(ctx, wait context.Context, e rxcql.WriteEvent, send func(context.Context) error) (unsure bool, err error) {
	ticket, err := q.limiter.Enter(wait)
	if err != nil {
		return false, &notSentError{err}
	}
	err = rx.ErrExited // stays if send does not return, or a hook
	defer func() { q.limiter.Leave(ticket, err) }()
	if over := q.rate.AwaitRequest(q.held, q.st); over != nil { //nolint:contextcheck // that of Open outlives the run's
		err = &notSentError{over}
		return false, err
	}
	ctx, end := q.st.StartWrite(ctx, e)
	defer func() { // first, so that no wait for the limiter counts
		e.Err = err
		end(e)
	}()
	err = send(ctx)
	return err != nil && q.unsure(err), err
}

// notSentError is why a request was not sent: the run has ended. That has nothing to do with the
// rows of the request, so the error is of the class of a cancel, whatever the cause is: an Invalid
// for which the run ends is not one of these rows.
type notSentError struct{ cause error }

func (e *notSentError) Error() string { return e.cause.Error() }

func (e *notSentError) Is(target error) bool { return target == context.Canceled }

// retry sends a request again that has failed with first, as long as may allows the error. send is
// told whether the attempt before may have been applied. unsure reports whether the request failed
// and any of its attempts may have been applied. ctx is the context of Sink.Open: in it attempts
// are finished. None begins after the run's context has ended.
func (q *requests) retry(ctx context.Context, e rxcql.WriteEvent, applied bool, first error, may func(error) bool,
	send func(ctx context.Context, applied bool) error,
) (unsure bool, err error) {
	unsure = applied
	err = q.st.Retry(ctx, first, may, func(n int) (err error) {
		e.Attempt = n + 1
		applied, err = q.attempt(ctx, q.st.Run().Context(), e, func(ctx context.Context) error { return send(ctx, applied) })
		unsure = unsure || applied
		return err
	})
	return unsure && err != nil, err
}
