package sink

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/option"
)

// Exec runs a CQL statement for every row: counter updates, conditional statements, changes of
// collections, and whatever else Table does not do. bind returns the values for the statement's
// bind markers, in order. It is called in the order of the stream, by one goroutine; what it
// returns must not change until the statement has run. An error of bind belongs to its row, and so
// does the server's refusal of its values (rxcql.WithRowErrors).
//
// Order: up to 64 statements (InFlight) are in flight at once, in no order. Of two rows that write
// one cell either may win, unless the statement has a USING TIMESTAMP ?. Only InFlight(1) keeps the
// order of the stream.
//
// Delivery is at most once, or with Idempotent at least once:
//
//   - A statement that failed in a way that may pass is sent again (rxcql.WithRetry) if it
//     certainly was not applied: no node was there, too few replicas were alive, a node was
//     starting, the server had forgotten the prepared statement.
//   - After any other failure that may pass (a timeout, an overloaded or lost node) it is sent
//     again only with Idempotent.
//   - Otherwise, and when the time for retries is over, the row ends the run. If it may have been
//     applied, it is counted in Report.Unknown and the error is an rxcql.ErrUnknownOutcome.
//   - A batch, and a statement with IF, is assumed to be applied in steps: so too few replicas
//     leave its outcome open too.
//   - A second run repeats statements: counters count twice. A conditional statement that was not
//     applied is no error; with Idempotent, one that is sent again may meet what it wrote itself.
//
// In memory are the rows of the pages in flight, charged to the budget.
//
// Errors are a rxcql.StageError around a rxcql.RowError. Check has the server prepare the
// statement. It returns rxcql.ErrSchema if the statement does not parse or names what does not
// exist, and rxcql.ErrConfig for a session whose protocol has no unset values. Values are encoded
// for the types that the statement has when the run begins: dates, addresses, durations, unsigned
// numbers, collections, tuples and user-defined types as Table encodes them, all others by
// gocql.Marshal (a zero time.Time becomes an empty timestamp). If the types change meanwhile, or a
// table that the statement names is dropped or made again, or a column of such a table is, the run
// ends with rxcql.ErrSchema.
func Exec[T any](session *gocql.Session, cql string, bind func(T) ([]any, error), opts ...ExecOption) rxcql.Sink[T] {
	e := &exec[T]{cql: cql, bind: bind, cfg: execConfig{inFlight: DefaultInFlight}}
	errs := []error{option.Apply(opts, &e.cfg, ExecOption.applyExec)}
	if cql == "" {
		errs = append(errs, errors.New("the statement is empty"))
	}
	if bind == nil {
		errs = append(errs, errors.New("the function that binds is nil"))
	}
	var err error
	e.session, err = driver.Wrap(session)
	e.err = stageError("sink.Exec", append(errs, err)...)
	return e
}

// execConfig has the options of Exec.
type execConfig struct {
	inFlight    int
	rate        *rxcql.Rate
	consistency *gocql.Consistency
	idempotent  bool
}

type exec[T any] struct {
	session *driver.Session
	cql     string
	bind    func(T) ([]any, error)
	cfg     execConfig
	err     error
}

// Info: only a statement that may run twice can be part of a job.
func (e *exec[T]) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{
		Err: e.err, Stages: []string{"Exec"}, Resumable: e.cfg.idempotent,
		NotResumableReason: "sink.Exec repeats statements when a job goes on; give Idempotent() if that does no harm",
	}
}

func (e *exec[T]) Check(ctx context.Context) error {
	if e.err != nil {
		return e.err
	}
	a, err := e.aim(ctx)
	if err != nil {
		return fmt.Errorf("sink.Exec: %w", err)
	}
	if err := a.about.Unbindable(); err != nil {
		return fmt.Errorf("%w: sink.Exec: %w", rxcql.ErrSchema, err)
	}
	return nil
}

func (e *exec[T]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	if e.err != nil {
		return nil, e.err
	}
	a, err := e.aim(ctx)
	if err != nil {
		return nil, fmt.Errorf("sink.Exec: %w", err)
	}
	w := openRows(ctx, r, "Exec", e.cfg.inFlight, e.prepare(a))
	w.st.Identify(e.identity(a)...)
	w.same = a.encoding.Unchanged
	w.send, w.giveUp = e.sender(w.st, a)
	w.blame = e.blame
	return w, nil
}

// identity returns what must be the same for a job to go on.
func (e *exec[T]) identity(a *execAim) []rxcql.Fact {
	facts := []rxcql.Fact{{Name: "statement", Value: e.cql}}
	if id := a.tables.ID(); id != "" {
		facts = append(facts, rxcql.Fact{Name: "table id", Value: id})
	}
	return facts
}

// prepare binds a row in the writing goroutine, and leaves the rest to a worker.
func (e *exec[T]) prepare(a *execAim) func(T) (func(context.Context) error, error) {
	free := sync.Pool{New: func() any { return new(driver.Repeated) }}
	return func(row T) (func(context.Context) error, error) {
		args, err := e.bind(row)
		if err != nil {
			return nil, ofUsers(err, row)
		}
		return func(ctx context.Context) error {
			r := free.Get().(*driver.Repeated)
			defer free.Put(r)
			return r.Exec(ctx, e.session, &driver.Statement{
				CQL: a.about.Text, Args: args, Encoding: a.encoding, Consistency: e.cfg.consistency, Idempotent: e.cfg.idempotent,
			})
		}, nil
	}
}
