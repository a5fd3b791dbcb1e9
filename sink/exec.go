package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

// Exec runs a CQL statement for every row: counter updates, conditional
// statements, changes of collections, whatever Table does not do. Bind gives
// the values for the statement's bind markers, in order; it is called in the
// order of the stream, by one goroutine, and what it returns must stay as it is
// until the statement has run. An error of bind is that row's error, and so is
// the server's refusal of its values (rxcql.WithRowErrors).
//
// Up to 64 statements (InFlight) are out at once and nothing orders them: of
// two rows that write one cell either may win, unless the statement has a
// USING TIMESTAMP ?. Only InFlight(1) keeps the order of the stream. Delivery: a
// row whose statement failed ends the run and is not sent again; after a
// timeout it may have been applied all the same. A run repeated repeats
// statements: counters count twice. A conditional statement that was not
// applied is no error.
//
// Held are the rows of the pages in flight, charged to the budget. Errors: a
// rxcql.StageError around a rxcql.RowError. Check has the server prepare the
// statement: rxcql.ErrSchema if it does not parse or names what is not there.
func Exec[T any](session *gocql.Session, cql string, bind func(T) ([]any, error), opts ...ExecOption) rxcql.Sink[T] {
	e := &exec[T]{cql: cql, bind: bind, cfg: execConfig{inFlight: DefaultInFlight}}
	var errs []error
	for _, opt := range opts {
		if opt == nil {
			errs = append(errs, errNilOption)
			continue
		}
		errs = append(errs, opt.applyExec(&e.cfg))
	}
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

// execConfig is what Exec can be told.
type execConfig struct {
	inFlight    int
	consistency *gocql.Consistency
	idempotent  bool
}

type idempotent struct{}

// Idempotent says that running the statement twice with one row's values does
// no harm: it is told to the policies and observers of the session, and will
// let retries repeat it.
func Idempotent() ExecOption { return idempotent{} }

func (idempotent) applyExec(c *execConfig) error {
	c.idempotent = true
	return nil
}

type exec[T any] struct {
	session *driver.Session
	cql     string
	bind    func(T) ([]any, error)
	cfg     execConfig
	err     error
}

// ConfigError reports what is wrong with the arguments; see rxcql.Configured.
func (e *exec[T]) ConfigError() error { return e.err }

func (e *exec[T]) Check(ctx context.Context) error {
	if e.err != nil {
		return e.err
	}
	about, err := e.session.Describe(ctx, e.cql)
	switch {
	case errors.Is(err, driver.ErrNotPreparable):
		return fmt.Errorf("%w: sink.Exec: %w", rxcql.ErrConfig, err)
	case err != nil:
		if c := driver.Classify(err); c == driver.Syntax || c == driver.Invalid {
			err = fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
		}
		return fmt.Errorf("sink.Exec: %w", err)
	}
	var errs []error
	for i, p := range about.Params {
		if p.Type.Kind == codec.Tuple {
			errs = append(errs, fmt.Errorf("bind marker %d (%s %s): the driver cannot bind a tuple; "+
				"write a marker for each element, as in (?, ?)", i+1, p.Name, p.Type))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: sink.Exec: %w", rxcql.ErrSchema, err)
	}
	return nil
}

func (e *exec[T]) Open(ctx context.Context, r *rxcql.Run) (rxcql.Writer[T], error) {
	if e.err != nil {
		return nil, e.err
	}
	w := openRows(ctx, r, "Exec", e.cfg.inFlight, e.prepare)
	w.blame = e.blame
	return w, nil
}

// prepare binds a row in the writing goroutine and leaves the rest to a worker.
func (e *exec[T]) prepare(row T) (func(context.Context) error, error) {
	args, err := e.bind(row)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return e.session.Exec(ctx, driver.Statement{
			CQL: e.cql, Args: args, Consistency: e.cfg.consistency, Idempotent: e.cfg.idempotent,
		})
	}, nil
}
