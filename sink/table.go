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

// Table writes rows into a table by INSERT, which adds a row or changes the
// columns given of the row that is there. The name is "keyspace.table", each
// part in double quotes where CQL would need them. T must have all columns of
// the primary key; an rxcql.Row has to bring, under the same names, columns of
// the same types. Rows that only have the partition key and static columns set
// the static columns.
//
// Rows of one partition go together as an unlogged batch, which the server
// applies as one write: up to 100 rows (BatchRows) and 48 KiB (BatchBytes); a
// larger row goes alone, and so does every row of a table without clustering
// columns. A batch that is not full waits for 5 ms at most (Linger). Up to 64
// batches (InFlight) are written at once; when as many again wait for that, 64 at
// most, Write waits. With BatchByReplicaSet rows of different partitions go together.
//
// Order: every row has a write timestamp that goes up in the order of the
// stream, so of two rows with one key the later wins, whatever order the server
// gets them in. Sinks of one run that write one table share the clock, so that goes for
// what they write together, too, in the order in which rows come to them: Tee sees to
// it. The timestamps begin at the run's start, unless Timestamp gives
// others; in a job that goes on they are above all that it wrote before, also from a
// process that was killed or paused and also if this machine's clock is up to 10 s
// behind: then the first row waits for the time. Rows written since then by others with the server's
// time are newer, as long as rows come slower than one a microsecond (16 for a
// table with a list that is not frozen). A run that ends without an error does so
// when the time has caught up with the timestamps, so what is written after it
// is newer in any case. Delivery: at least once, and a row written again, with
// its timestamp, changes nothing. A null is unset: it leaves the column as it is,
// unless NullsDelete.
//
// A batch that the server refuses is halved until the row at fault is found: the
// others are written. That row, and one that cannot be encoded, is a row error
// (rxcql.WithRowErrors): by default the run fails with a rxcql.StageError around a
// rxcql.RowError for each bad row of the batch, else they are left out. Where 16
// rows of a batch of one partition are refused and none is taken, or the server no
// longer takes the statement at all, the run fails whatever the policy.
//
// A write that fails in a way that may pass (a timeout, an overloaded, lost or
// unavailable node) is sent again as it was, for as long as rxcql.WithRetry says;
// rows with a list that is not frozen 16 times at most, each a microsecond later
// than the one before. After a cancel no attempt is begun. What fails for good
// fails the run; if any attempt may have been applied, its rows are counted in
// Report.Unknown. The number of requests out at once is halved when the server has
// too much to do, and grows again.
//
// Held are the batches that are being filled (an eighth of the budget at most, and
// without BatchByReplicaSet 64; for dead letters with the rows themselves) and those that wait
// to be written or are being written (three eighths, 64 MiB, or one batch), both
// charged to the budget.
//
// Check reports, all together and as rxcql.ErrSchema: unknown table or columns,
// missing columns of the primary key, columns whose type does not fit the Go
// field, and tables that cannot be written so (counters, materialized views).
// The columns of rxcql.Rows are compared with the first row unless Columns
// names them. Refused as rxcql.ErrConfig is a session whose protocol has no unset values
// (see rxcql.Configure), also where nothing would be unset.
//
// A table that is dropped, or made again, while it is written ends the run with
// rxcql.ErrSchema: rows written before are gone with it. So does one of which a column is
// dropped and made again. It may be altered where what is written stays as it was, or
// emptied.
func Table[T any](session *gocql.Session, name string, opts ...TableOption) rxcql.Sink[T] {
	t := &table[T]{}
	var optErr, funcErr, nameErr, columnErr, sessionErr error
	t.cfg, optErr = newTableConfig(opts)
	t.fns, funcErr = rowFuncsOf[T](&t.cfg)
	t.keyspace, t.name, nameErr = schema.ParseName(name)
	t.columns, columnErr = rowColumns[T](&t.cfg)
	t.session, sessionErr = driver.Wrap(session)
	t.err = stageError("sink.Table", sessionErr, nameErr, columnErr, optErr, funcErr)
	return t
}

// table is the description of a table sink; runs do not change it.
type table[T any] struct {
	session        *driver.Session
	keyspace, name string
	columns        []string // that are written; nil for all that a Row has
	cfg            tableConfig
	fns            rowFuncs[T]
	err            error

	checked atomic.Pointer[target[T]] // as the last Check found it
}

// target is the table as a run writes it.
type target[T any] struct {
	about *schema.Table
	same  sameness
	fork  func() encoder[T]
	sets  *ring.Sets // nil without BatchByReplicaSet
}

// Info: a row written again changes nothing.
func (t *table[T]) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Err: t.err, Resumable: true, Stages: []string{t.stage()}}
}

// stage is the name of the sink's stage.
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

// event is what hooks are told of all requests.
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

// counts tells a Tee that this sink writes the table with times of the run's clock.
func (t *table[T]) counts(ctx context.Context, about *schema.Table) {
	if t.fns.timestamp == nil {
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
		o.same = schema.Pin(t.session, about).Same
	}
	errs := []error{writable(about)}
	if t.fns.timestamp != nil && !t.cfg.delete {
		for _, c := range about.Columns {
			if appends(c) {
				errs = append(errs, fmt.Errorf("Timestamp: column %q (%s) is a list that is not frozen, and writing such a list twice "+
					"with one timestamp doubles it: leave Timestamp out, or freeze the list", c.Name, c.Type))
			}
		}
	}
	to := &target[T]{about: about, same: o.same}
	if isRow[T]() {
		to.fork = func() encoder[T] {
			var e any = &copier{table: about, names: t.columns, options: o}
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
	return t.open(ctx, r, to, &cqlWire{session: t.session, consistency: t.cfg.consistency}), nil
}

// stageError joins what is wrong with a sink's arguments, under its name.
func stageError(sink string, errs ...error) error {
	if err := errors.Join(errs...); err != nil {
		return &configError{sink, err}
	}
	return nil
}

// configError puts the sink's name before the errors of its arguments. It is
// an rxcql.ErrConfig.
type configError struct {
	sink string
	err  error
}

func (e *configError) Error() string   { return e.sink + ": " + e.err.Error() }
func (e *configError) Unwrap() []error { return []error{rxcql.ErrConfig, e.err} }
