package sink

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/rx"
)

// requests sends what a sink has to send: as much at once as its limiter allows,
// and again where that may be done.
type requests struct {
	st      *rxcql.Stage
	limiter *limiter
	unsure  func(error) bool // whether a request that failed so may have been applied
}

func newRequests(st *rxcql.Stage, inFlight int, unsure func(error) bool) *requests {
	return &requests{st: st, limiter: newLimiter(inFlight, st.Run().Log()), unsure: unsure}
}

// attempt sends once, when the limiter has room before wait ends. A request that
// was not sent is not unsure.
func (q *requests) attempt(wait context.Context, send func() error) (unsure bool, err error) {
	ticket, err := q.limiter.enter(wait)
	if err != nil {
		return false, err
	}
	err = rx.ErrExited // stays if send panics
	defer func() { q.limiter.leave(ticket, err) }()
	err = send()
	return err != nil && q.unsure(err), err
}

// retry sends a request again that has failed with first, as long as may allows it.
// send is told whether the attempt before may have been applied; the result tells
// that the request failed and any attempt may have been. In ctx, that of
// Sink.Open, attempts are finished; none is begun once the run's has ended.
func (q *requests) retry(ctx context.Context, applied bool, first error, may func(error) bool, send func(applied bool) error) (unsure bool, err error) {
	unsure = applied
	err = q.st.Retry(ctx, first, may, func(int) (err error) { //nolint:contextcheck // send has its own; the wait ends with the run's
		applied, err = q.attempt(q.st.Run().Context(), func() error { return send(applied) })
		unsure = unsure || applied
		return err
	})
	return unsure && err != nil, err
}
