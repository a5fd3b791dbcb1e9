package deadletter

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gocql/gocql"
	"golang.org/x/sync/errgroup"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

const (
	// lettersAPart is how many letters a partition of the table has at most.
	lettersAPart = 10_000
	// writesAtOnce is how many letters are written at once.
	writesAtOnce = 32
)

// Record is a letter as a row of a table. Read them with source.Table[deadletter.Record], and
// decode each with Decode.
type Record struct {
	Run   string    `cql:"run"`
	Part  int32     `cql:"part"` // of the run's letters, 10,000 each
	N     int64     `cql:"n"`
	V     int32     `cql:"v"` // of the format
	Time  time.Time `cql:"time"`
	Stage string    `cql:"stage"`
	Error string    `cql:"error"`
	Range string    `cql:"range"`
	Page  int64     `cql:"page"`
	Index int32     `cql:"row_index"`
	Type  string    `cql:"type"`
	Row   string    `cql:"row"` // JSON
}

const columns = `run, part, n, v, time, stage, error, range, page, row_index, type, "row"`

// Decode returns the letter in a row of a table. Errors wrap ErrLetter and show nothing of the row.
// Of the options only AnyType has an effect; one that is nil is rxcql.ErrConfig.
func Decode[T any](r Record, opts ...ReadOption) (Letter[T], error) {
	l := line{
		V: int(r.V), Run: r.Run, N: r.N, Time: r.Time, Stage: r.Stage, Error: r.Error,
		Range: r.Range, Page: r.Page, Index: int(r.Index), Type: r.Type, Row: []byte(r.Row),
	}
	var out Letter[T]
	cfg, err := newReadConfig(opts)
	if err != nil {
		return out, err
	}
	if err = l.check(); err == nil {
		out, err = open[T](&l, cfg)
	}
	if err != nil {
		err = fmt.Errorf("run %s, letter %d: %w", r.Run, r.N, err)
	}
	return out, err
}

// CreateTable creates a table for letters, "keyspace.table", if it does not exist.
func CreateTable(ctx context.Context, session *gocql.Session, name string) error {
	t, err := newTable(session, name)
	if err != nil {
		return err
	}
	err = t.session.Exec(ctx, driver.Statement{CQL: "CREATE TABLE IF NOT EXISTS " + t.name + ` (run text, part int, n bigint, v int,
		time timestamp, stage text, error text, range text, page bigint, row_index int, type text, "row" text, PRIMARY KEY ((run, part), n))`})
	if err != nil {
		return fmt.Errorf("deadletter.CreateTable: %w", err)
	}
	return nil
}

// Table keeps letters in a table, "keyspace.table", that CreateTable created: one row for each
// letter, by run and number. Letters are written at the session's consistency, up to 32 at once.
// Writing one twice does no harm: a failure that may pass is tried again (rxcql.WithRetry).
//
// A row that is too large for any table (16 MiB as JSON with the server's defaults) is too large
// for this one, and ends the run. NDJSON takes it.
func Table(session *gocql.Session, name string) rxcql.DeadLetterStore {
	t, err := newTable(session, name)
	t.err = err
	return &t
}

type table struct {
	session *driver.Session
	name    string // quoted

	keyspace, plain string
	err             error
}

func newTable(session *gocql.Session, name string) (t table, err error) {
	keyspace, plain, nameErr := schema.ParseName(name)
	t.name, t.keyspace, t.plain = schema.Quote(keyspace)+"."+schema.Quote(plain), keyspace, plain
	wrapped, sessionErr := driver.Wrap(session)
	t.session = wrapped
	if err = errors.Join(nameErr, sessionErr); err != nil {
		err = fmt.Errorf("%w: deadletter.Table: %w", rxcql.ErrConfig, err)
	}
	return t, err
}

func (t *table) insert() string {
	return "INSERT INTO " + t.name + " (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
}

// ConfigError reports what is wrong with the arguments; see rxcql.ConfigChecker.
func (t *table) ConfigError() error { return t.err }

// Check compares the table with what letters need.
func (t *table) Check(ctx context.Context) error {
	_, err := t.Open(ctx)
	return err
}

// Open finds out for which types the letters are encoded.
func (t *table) Open(ctx context.Context) (rxcql.DeadLetterWriter, error) {
	if t.err != nil {
		return nil, t.err
	}
	w := &tableWriter{table: t, ctx: ctx}
	if err := rxcql.Retry(ctx, driver.MayPass, func() error { return w.aim(ctx) }); err != nil {
		switch c := driver.Classify(err); {
		case c == driver.Invalid, c == driver.Syntax, errors.Is(err, schema.ErrUnknownTable), errors.Is(err, schema.ErrUnknownKeyspace):
			err = fmt.Errorf("%w: %w: make the table with deadletter.CreateTable", rxcql.ErrSchema, err)
		}
		return nil, fmt.Errorf("deadletter.Table %s: %w", t.name, err)
	}
	return w, nil
}

type tableWriter struct {
	*table
	ctx      context.Context // of Open
	text     string          // the statement, for the types that the table has now
	encoding *driver.Encoding
	wrote    atomic.Bool
}

// aim notes which table it is, and asks the server for the types that it takes.
func (w *tableWriter) aim(ctx context.Context) error {
	about, err := schema.Load(ctx, w.session, w.keyspace, w.plain)
	if err == nil {
		err = w.session.TakesUnset(ctx)
	}
	if err != nil {
		return err
	}
	tables := schema.Pin(w.session, about).Writing(func(string) bool { return true })
	d, err := w.session.Describe(ctx, w.insert())
	if err != nil {
		return err
	}
	w.text = d.Text
	w.encoding = d.Encoding(tables.Same)
	return d.Fits(w.args(&rxcql.Letter{}))
}

func (w *tableWriter) Write(ctx context.Context, letters []rxcql.Letter) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writesAtOnce)
	for i := range letters {
		group.Go(func() error { return w.write(ctx, &letters[i]) })
	}
	return group.Wait()
}

func (w *tableWriter) write(ctx context.Context, l *rxcql.Letter) error {
	w.wrote.Store(true)
	insert := driver.Statement{CQL: w.text, Args: w.args(l), Encoding: w.encoding, Idempotent: true}
	err := rxcql.Retry(ctx, driver.MayPass, func() error { return w.session.Exec(ctx, insert) })
	if err == nil {
		return nil
	}
	if c := driver.Classify(err); c == driver.TooLarge || c == driver.FrameTooBig {
		err = fmt.Errorf("%w: letter %d is larger than a table takes; deadletter.NDJSON has no such bound", err, l.N)
	}
	return fmt.Errorf("deadletter.Table %s: %w", w.name, err)
}

func (w *tableWriter) args(l *rxcql.Letter) []any {
	return []any{
		l.Run, int32(l.N / lettersAPart), l.N, int32(version), l.Time, l.Stage, l.Error, l.Range, l.Page, int32(l.Index), l.Type, l.Row,
	}
}

// Close checks that the letters are in the table that exists now, unless requests may no longer be
// sent.
func (w *tableWriter) Close() (err error) {
	if w.wrote.Load() && w.ctx.Err() == nil {
		err = rxcql.Retry(w.ctx, driver.MayPass, func() error { return w.encoding.Unchanged(w.ctx) })
	}
	if err != nil {
		return fmt.Errorf("deadletter.Table %s: %w", w.name, err)
	}
	return nil
}
