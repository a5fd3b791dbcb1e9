package sink

import (
	"context"
	"time"

	"github.com/rxcql/rxcql/internal/driver"
)

const (
	// maxTimedStatements and maxTimedBytes bound a request for one row of many writes, such as a map
	// whose elements were all written by themselves. Such a row is sent in several requests.
	maxTimedStatements = 1000
	maxTimedBytes      = 1 << 20
)

// sendTimed writes the rows from..to of a batch of rows with times.
func (w *cqlWire) sendTimed(ctx context.Context, b *batch, from, to, attempt int) error {
	now := time.Now().Unix()
	if !w.held || !b.lists(from, to) {
		b.bindTimed(from, to, attempt, now, allWrites)
		return w.sendBound(ctx, b, from, to, b.lists(from, to))
	}
	b.bindTimed(from, to, attempt, now, withoutLists)
	begun := len(b.request.counts) > 0
	if err := w.sendBound(ctx, b, from, to, false); err != nil {
		return err
	}
	err := w.holdLists(ctx, b, from, to, now)
	if err == nil {
		b.bindTimed(from, to, attempt, now, onlyLists)
		err = w.sendBound(ctx, b, from, to, true)
	}
	if err != nil && begun {
		return &inPartError{err}
	}
	return err
}

// sendBound sends the writes that were bound.
func (w *cqlWire) sendBound(ctx context.Context, b *batch, from, to int, lists bool) error {
	r := &b.request
	if len(r.counts) == 0 { // all has expired
		return nil
	}
	if first, text := r.uniform(); text != "" {
		return r.single.Exec(ctx, w.session, &driver.Statement{
			CQL: text, Args: r.args, Encoding: first.aim.encoding, Consistency: w.consistency, Idempotent: !lists,
		})
	}
	args, sent := r.args, 0
	for sent < len(r.counts) {
		r.batch.Reset()
		r.batch.Consistency, r.batch.Idempotent = w.consistency, !lists
		i, bytes := sent, 0
		for ; i < len(r.counts); i++ {
			n := r.counts[i]
			if to-from == 1 && i > sent && (i-sent >= maxTimedStatements || bytes > maxTimedBytes) {
				break
			}
			for at := len(r.args) - len(args); at < len(r.args)-len(args)+n; at++ {
				bytes += len(r.values[at].Bytes)
			}
			r.batch.AddEntry(r.statements[i].sent, args[:n:n], r.statements[i].aim.encoding)
			args = args[n:]
		}
		if err := w.session.ExecBatch(ctx, &r.batch); err != nil {
			if sent > 0 {
				err = &inPartError{err}
			}
			return err
		}
		sent = i
	}
	return nil
}

// uniform returns the text for all statements of the request together, "" if there is none.
func (r *request) uniform() (first *statement, text string) {
	first = r.statements[0]
	for _, st := range r.statements {
		if st != first {
			return nil, ""
		}
	}
	if len(r.statements) == 1 {
		return first, first.sent
	}
	return first, first.times(len(r.statements))
}
