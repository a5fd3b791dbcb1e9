package sink

import (
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/schema"
)

// Sent is one request as it would go to the server.
type Sent struct {
	Rows    []SentRow
	Attempt int
}

type SentRow struct {
	CQL       string
	Timestamp int64
	TTL       int32
	Values    []any // []byte, Null or Unset; without the timestamp and the TTL
	At        flow.Position
	Index     int
}

type (
	Null  struct{}
	Unset struct{}
)

// Server stands for Cassandra in tests.
type Server func(ctx context.Context, s Sent) error

func (fn Server) send(ctx context.Context, b *batch, from, to, attempt int) error {
	s := Sent{Attempt: attempt}
	b.bind(from, to, attempt)
	args := b.request.args
	for i := from; i < to; i++ {
		row := &b.rows[i]
		r := SentRow{CQL: row.statement.cql, TTL: row.ttl, At: row.at, Index: row.index}
		for _, arg := range args[:b.request.counts[i-from]] {
			v, isValue := arg.(*driver.Value)
			switch {
			case !isValue:
				r.Values = append(r.Values, Unset{})
			case v.State == driver.Null:
				r.Values = append(r.Values, Null{})
			default:
				r.Values = append(r.Values, append([]byte{}, v.Bytes...))
			}
		}
		args = args[b.request.counts[i-from]:]
		if row.statement.ttl {
			r.Values = r.Values[:len(r.Values)-1]
		}
		at := len(r.Values) - 1
		if row.statement.deletes {
			at = 0
		}
		r.Timestamp = int64(binary.BigEndian.Uint64(r.Values[at].([]byte)))
		r.Values = append(r.Values[:at:at], r.Values[at+1:]...)
		s.Rows = append(s.Rows, r)
	}
	return fn(ctx, s)
}

func (fn Server) prepares(context.Context, string) error { return nil }

// Heavy is a server that holds the memory which the driver has for a request, while
// the function answers.
type Heavy func(ctx context.Context) error

func (fn Heavy) send(ctx context.Context, b *batch, from, to, attempt int) error {
	b.bind(from, to, attempt)
	values := make([]struct {
		value []byte
		name  string
		unset bool
	}, len(b.request.args))
	frame := slices.Clone(b.buf)
	err := fn(ctx)
	runtime.KeepAlive(values)
	runtime.KeepAlive(frame)
	return err
}

func (fn Heavy) prepares(context.Context, string) error { return nil }

// TableOnHeavy is TableOn with the memory that the driver has.
func TableOnHeavy[T any](server Heavy, about *schema.Table, opts ...TableOption) rxcql.Sink[T] {
	return tableOnWire[T](server, about, opts...)
}

// Altered is a server on which a statement may no longer be taken.
type Altered struct {
	Server
	Prepares func(cql string) error
}

func (a Altered) prepares(_ context.Context, cql string) error { return a.Prepares(cql) }

// TableOn is Table on a server that is a function.
func TableOn[T any](server Server, about *schema.Table, opts ...TableOption) rxcql.Sink[T] {
	return tableOnWire[T](server, about, opts...)
}

// TableOnAltered is TableOn where a statement may no longer be taken.
func TableOnAltered[T any](server Altered, about *schema.Table, opts ...TableOption) rxcql.Sink[T] {
	return tableOnWire[T](server, about, opts...)
}

func tableOnWire[T any](server wire, about *schema.Table, opts ...TableOption) rxcql.Sink[T] {
	t := &table[T]{keyspace: about.Keyspace, name: about.Name}
	var optErr, funcErr, columnErr error
	t.cfg, optErr = newTableConfig(opts)
	t.fns, funcErr = rowFuncsOf[T](&t.cfg)
	t.columns, columnErr = rowColumns[T](&t.cfg)
	columnErr = errors.Join(columnErr, timesNeedRow[T](&t.cfg))
	t.err = stageError("sink.Table", columnErr, optErr, funcErr)
	on := &tableOn[T]{table: t, server: server, about: about}
	if t.cfg.bySet.on() {
		on.sets = ring.NewSets(nil, nil) // one node
	}
	return on
}

type tableOn[T any] struct {
	*table[T]
	server wire
	about  *schema.Table
	sets   *ring.Sets
}

func (t *tableOn[T]) Check(ctx context.Context) error {
	_, err := t.compileFor(t.about)
	t.counts(ctx, t.about)
	return err
}

func (t *tableOn[T]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	to, err := t.compileFor(t.about)
	if err != nil {
		return nil, err
	}
	to.sets = t.sets
	return t.open(ctx, r, to, t.server), nil
}

// ManifoldText is the text for n rows of a statement with so many markers, after it has
// been asked for often.
func ManifoldText(cql string, markers, n, asked int) (text string) {
	s := &statement{cql: cql, markers: markers}
	for range asked {
		text = s.times(n)
	}
	return text
}

const (
	AttemptsPerRow = attemptsPerRow
	MaxOpen        = maxOpen
)

// ExecMayRetry tells what Exec makes of a failure of a statement.
func ExecMayRetry(cql string, idempotent bool, err error) (again, unsure bool) {
	may, open := mayRetry(cql, idempotent)
	return may(err), open(err)
}

// TableOnNodes is TableOn for BatchByReplicaSet, on a keyspace of these nodes.
func TableOnNodes[T any](server Server, about *schema.Table, nodes []ring.Node, replication map[string]string, opts ...TableOption) rxcql.Sink[T] {
	on := tableOnWire[T](server, about, opts...).(*tableOn[T])
	on.sets = ring.NewSets(nodes, replication)
	return on
}

// nothing is a wire that leads nowhere.
type nothing struct{}

func (nothing) send(context.Context, *batch, int, int, int) error { return nil }
func (nothing) prepares(context.Context, string) error            { return nil }

// TableIntoNothing is Table without a server.
func TableIntoNothing[T any](about *schema.Table, opts ...TableOption) rxcql.Sink[T] {
	return tableOnWire[T](nothing{}, about, opts...)
}

// TakeTimestamps takes timestamps of the clock of a table.
func TakeTimestamps(ctx context.Context, r *rxcql.Execution, tableID string, rows int, step int64) (first int64, err error) {
	return tableClock(r, tableID).take(ctx, rows, step)
}

// TimedSent is one request of rows with times as it would go to the server.
type TimedSent struct {
	Writes  []TimedWrite
	Rows    int // of the batch
	Attempt int
}

type TimedWrite struct {
	CQL    string
	Time   int64
	TTL    int32
	Values []any // []byte, Null or Unset; without the timestamp and the TTL
}

// TimedServer stands for Cassandra in tests of Times.
type TimedServer func(ctx context.Context, s TimedSent) error

func (fn TimedServer) send(ctx context.Context, b *batch, from, to, attempt int) error {
	b.bindTimed(from, to, attempt, time.Now().Unix(), allWrites)
	s := TimedSent{Rows: to - from, Attempt: attempt}
	args := b.request.args
	for i, n := range b.request.counts {
		st := b.request.statements[i]
		w := TimedWrite{CQL: st.cql}
		own := args[:n]
		args = args[n:]
		if st.updates {
			own = append(append([]any{}, own[2:]...), own[:2]...)
		}
		for _, arg := range own {
			v, isValue := arg.(*driver.Value)
			switch {
			case !isValue:
				w.Values = append(w.Values, Unset{})
			case v.State == driver.Null:
				w.Values = append(w.Values, Null{})
			default:
				w.Values = append(w.Values, append([]byte{}, v.Bytes...))
			}
		}
		last := len(w.Values) - 2
		w.Time = int64(binary.BigEndian.Uint64(w.Values[last].([]byte)))
		w.TTL = int32(binary.BigEndian.Uint32(w.Values[last+1].([]byte)))
		w.Values = w.Values[:last]
		s.Writes = append(s.Writes, w)
	}
	return fn(ctx, s)
}

func (fn TimedServer) prepares(context.Context, string) error { return nil }

// TableOnTimed is Table with Times on a server that is a function.
func TableOnTimed(server TimedServer, about *schema.Table, opts ...TableOption) rxcql.Sink[rxcql.Row] {
	return tableOnWire[rxcql.Row](server, about, opts...)
}

// ListVerdict says whether a list of several runs is written whose newest element is of a time,
// where the table has a list that was written at another, and whether that one is left. No elements
// are no list. divided says that an earlier attempt may have written some of the runs alone.
func ListVerdict(runs [][][]byte, newest int64, elements [][]byte, held int64, divided bool) (write, left bool) {
	if elements == nil {
		held = noList
	}
	return heldList{elements, held}.verdict(runs, newest, divided)
}

// ListsMayBeDivided reports whether the lists of a row of so many runs, each of so many bytes, may
// have been sent in several requests. Another row is before it.
func ListsMayBeDivided(runs, run, key int) bool {
	b := &batch{}
	cell := func(bytes int) {
		at := int32(bytes)
		if n := len(b.ends); n > 0 {
			at += b.ends[n-1].at
		}
		b.ends = append(b.ends, end{at: at})
	}
	row := func() {
		b.rows = append(b.rows, batchRow{ends: int32(len(b.ends))})
		b.timed.rows = append(b.timed.rows, timedRow{bound: 1, after: int32(len(b.timed.writes))})
	}
	cell(2 * maxTimedBytes)
	row()
	cell(key)
	for range runs {
		cell(run)
		b.timed.writes = append(b.timed.writes, timedWrite{list: 1, first: int32(len(b.ends) - 1), after: int32(len(b.ends))})
	}
	row()
	return b.mayBeDivided(1)
}

// ListAge is how much older an element has to be for its list to be written a microsecond later.
const ListAge = listAge
