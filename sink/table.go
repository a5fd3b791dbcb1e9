package sink

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/schema"
)

// Table writes rows into a table by INSERT, which adds a row, or changes the given columns of a row
// that exists. The name is "keyspace.table", each part in double quotes where CQL would need them.
// T must have all columns of the primary key. A rxcql.Row must have columns of the same names and
// types as the table's. Rows that have only the partition key and static columns set the static
// columns. A null is unset: it leaves the column as it is, unless NullsDelete is given.
//
// Batches: rows of one partition go together as an unlogged batch, which the server applies as one
// write, of up to 100 rows (BatchRows) and 48 KiB (BatchBytes). A larger row goes alone, and so
// does every row of a table without clustering columns. A batch that is not full waits for at most
// 5 ms (BatchLinger). Up to 64 batches are filled at once: where rows of more partitions take
// turns, each goes alone. With BatchByReplicaSet rows of different partitions go together. Up to 64
// batches (InFlight) are written at once. As many again, at most 64, may wait for that; then Write
// waits.
//
// Order: every row has a write timestamp, which increases in the order of the stream. So of two
// rows with one key the later wins, in whatever order the server gets them.
//
//   - All sinks of one run that write one table share one clock, so that also holds among them, in
//     the order in which rows come to them; Tee sees to that order.
//   - The timestamps begin at the run's start, unless TimestampOf gives others, or Times. In a job
//     that goes on they are above all that the job wrote before, also from a process that was
//     killed or paused, and also if this machine's clock is up to 10 s behind; then the first row
//     waits.
//   - What others write meanwhile with the server's time is newer than the rows before it, as long
//     as rows come slower than one a microsecond (16 for a table with a list that is not frozen). A
//     run without an error ends when the time has caught up with its timestamps, so what is written
//     after the run is newer in any case.
//
// Delivery is at least once. A row that is written again has the same timestamp, and changes
// nothing.
//
// Failures:
//
//   - A batch that the server refuses is halved until the row at fault is found; the others are
//     written. That row is a row that failed (rxcql.WithRowErrors), and so is one that cannot be
//     encoded: by default the run fails with a rxcql.StageError around a rxcql.RowError for each
//     bad row of the batch, else these rows are left out.
//   - If 16 rows of a batch of one partition are refused and none is taken, or if the server no
//     longer takes the statement at all, the run fails under every policy.
//   - A write that fails in a way that may pass (a timeout, an overloaded, lost or unavailable
//     node) is sent again as it was, for as long as rxcql.WithRetry says. Rows with a list that is
//     not frozen are sent at most 16 times, each time with a timestamp one microsecond later. After
//     a cancel no attempt begins.
//   - What fails for good fails the run. If any attempt may have been applied, its rows are counted
//     in Report.Unknown.
//   - When the server has too much to do, the number of requests in flight is halved; it grows
//     again later.
//
// In memory, and charged to the budget:
//
//   - with SortByToken, the rows that wait to be sorted: at most a quarter of the budget, or 64
//     MiB, in all sinks of the run that sort. Of the two bounds below, the parts of the budget are
//     half as high then;
//   - the batches being filled: at most an eighth of the budget, and at most 64 batches without
//     BatchByReplicaSet. With dead letters they include the rows themselves;
//   - the batches that wait to be written or are being written: at most three eighths of the
//     budget, and at most 64 MiB; one batch may exceed that.
//
// Check reports, all together, as rxcql.ErrSchema: unknown table or columns, missing columns of the
// primary key, columns whose type does not fit the Go field, and tables that this sink cannot write
// (counters, materialized views). The columns of a rxcql.Row are compared when the first row comes,
// unless Columns names them. A session whose protocol has no unset values (see rxcql.Configure) is
// rxcql.ErrConfig, even if nothing would be unset.
//
// A table that is dropped, or made again, while it is written ends the run with rxcql.ErrSchema:
// rows written before are gone with it. So does a table of which a column is dropped and made
// again, because the server hides what is older than the drop. The table may be emptied meanwhile,
// or altered if the columns that are written stay as they were.
func Table[T any](session *gocql.Session, name string, opts ...TableOption) rxcql.Sink[T] {
	t := &table[T]{}
	var optErr, funcErr, nameErr, columnErr, sessionErr error
	t.cfg, optErr = newTableConfig(opts)
	t.fns, funcErr = rowFuncsOf[T](&t.cfg)
	t.keyspace, t.name, nameErr = schema.ParseName(name)
	t.columns, columnErr = rowColumns[T](&t.cfg)
	columnErr = errors.Join(columnErr, timesNeedRow[T](&t.cfg))
	if len(t.cfg.leaveOut) > 0 && !isRow[T]() {
		columnErr = errors.Join(columnErr, errors.New("LeaveOut: rows must be rxcql.Row; a struct names its own columns"))
	}
	t.session, sessionErr = driver.Wrap(session)
	t.err = stageError("sink.Table", sessionErr, nameErr, columnErr, optErr, funcErr)
	return t
}

// table is the description of a table sink; runs do not change it.
type table[T any] struct {
	session        *driver.Session
	keyspace, name string
	columns        []string // to be written; nil for all that a Row has
	cfg            tableConfig
	fns            rowFuncs[T]
	err            error

	checked atomic.Pointer[target[T]] // the result of the last Check
}

// target is the table as a run writes it.
type target[T any] struct {
	about   *schema.Table
	options planOptions
	fork    func() encoder[T]
	sets    *ring.Sets // nil without BatchByReplicaSet
}

// Info: writing a row again changes nothing.
func (t *table[T]) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Err: t.err, Resumable: true, Stages: []string{t.stage()}}
}

// stage returns the name of the sink's stage.
func (t *table[T]) stage() string { return "Table " + t.keyspace + "." + t.name }

func (t *table[T]) Check(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	to, err := t.compile(ctx)
	if err != nil {
		return fmt.Errorf("sink.%s: %w", t.stage(), err)
	}
	t.checked.Store(to)
	t.counts(ctx, to.about)
	return nil
}

// event returns what hooks are told of all requests.
func (t *table[T]) event(about *schema.Table) rxcql.WriteEvent {
	e := rxcql.WriteEvent{Keyspace: about.Keyspace, Table: about.Name, Operation: "INSERT"}
	if t.cfg.delete {
		e.Operation = "DELETE"
	}
	if t.session != nil {
		e.Consistency = t.session.Consistency(t.cfg.consistency)
	}
	return e
}

// counts tells a Tee that this sink writes the table with timestamps of the run's clock.
func (t *table[T]) counts(ctx context.Context, about *schema.Table) {
	if t.fns.timestamp == nil && t.cfg.times == nil {
		joinCensus(ctx, about.ID, t.stage())
	}
}

func (t *table[T]) compile(ctx context.Context) (*target[T], error) {
	about, err := load(ctx, t.session, t.keyspace, t.name)
	if err != nil {
		return nil, err
	}
	if err := takesUnset(ctx, t.session); err != nil {
		return nil, err
	}
	to, err := t.compileFor(about)
	if err == nil {
		to.sets, err = t.replicaSets(ctx)
	}
	return to, err
}

func (t *table[T]) compileFor(about *schema.Table) (*target[T], error) {
	o := planOptions{delete: t.cfg.delete, nullsDelete: t.cfg.nullsDelete, ttl: t.cfg.ttl > 0 || t.cfg.ttlOf != nil}
	if t.session != nil {
		o.used = &usedColumns{names: map[string]bool{}}
		o.same = schema.Pin(t.session, about).Writing(o.used.has).Same
	}
	errs := []error{writable(about)}
	if t.fns.timestamp != nil && !t.cfg.delete {
		for _, c := range about.Columns {
			if appends(c) {
				errs = append(errs, fmt.Errorf("TimestampOf: column %q (%s) is a list that is not frozen, and writing such a list twice "+
					"with one timestamp doubles it: leave out TimestampOf, or freeze the list", c.Name, c.Type))
			}
		}
	}
	to := &target[T]{about: about, options: o}
	if t.cfg.times != nil {
		if t.columns != nil {
			_, err := choose(about, t.columns, o)
			errs = append(errs, err)
		}
		return to, mismatch(about, errs...)
	}
	if isRow[T]() {
		to.fork = func() encoder[T] {
			var e any = &copier{table: about, names: t.columns, leave: t.cfg.leaveOut, options: o}
			return e.(encoder[T])
		}
		if t.columns != nil {
			_, err := choose(about, t.columns, o)
			errs = append(errs, err)
		}
		return to, mismatch(about, errs...)
	}
	e, err := newStructs[T](about, t.columns, o)
	to.fork = func() encoder[T] { return e.fork() }
	return to, mismatch(about, append(errs, err)...)
}

func (t *table[T]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	if t.err != nil {
		return nil, t.err
	}
	to := t.checked.Load()
	if to == nil {
		var err error
		if to, err = t.compile(ctx); err != nil {
			return nil, err
		}
	}
	held, err := t.readsLists(ctx, to.about)
	if err != nil {
		return nil, err
	}
	return t.open(ctx, r, to, &cqlWire{session: t.session, consistency: t.cfg.consistency, held: held}), nil
}

// stageError joins what is wrong with a sink's arguments, under the sink's name.
func stageError(sink string, errs ...error) error {
	if err := errors.Join(errs...); err != nil {
		return &configError{sink, err}
	}
	return nil
}

// configError puts the sink's name before the errors of its arguments. It is an rxcql.ErrConfig.
type configError struct {
	sink string
	err  error
}

func (e *configError) Error() string   { return e.sink + ": " + e.err.Error() }
func (e *configError) Unwrap() []error { return []error{rxcql.ErrConfig, e.err} }
