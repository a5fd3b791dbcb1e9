package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/schema"
)

// ErrTailFull is the kind of error of a Tail that has given more rows of the overlap than it may
// remember (SeenBytes). It does not go on without: rows would come twice.
var ErrTailFull = errors.New("rxcql: Tail has no room for the keys of its overlap")

// Tail gives the rows of a table as they arrive: it polls the table for new rows, for ever. The
// table must be cut into buckets by the time at which rows arrive, see Buckets. The name and T are
// as for Table. Only the columns that T needs are read, and the clustering key.
//
//	rows := source.Tail[Reading](session, "weather.raw", source.Buckets{
//		Columns: []string{"day"}, Size: 24 * time.Hour, Shard: "shard", Shards: 16, Arrived: "arrived",
//	}, source.TailFrom(yesterday), source.Overlap(time.Minute))
//
// # Which rows come
//
// Each row comes once, if it becomes visible within the overlap (Overlap) of the time at which it
// says that it arrived: however late it is within that, and however often the table is polled. A
// new row comes with the next poll (PollEvery), if the stream is at the head and downstream takes
// it. A row that becomes visible later than that is missed. So the overlap must be longer than a
// write can take, with its retries, together with how far clocks are apart. A row that is deleted
// before it is read does not come. One that is written again comes a second time only with Upserts.
//
// Rows that arrived before now less the overlap are complete, and are read once. Now is the earlier
// of two clocks, this machine's and the server's, and an overlap must have passed by a clock that
// does not jump. So rows are missed only if both clocks are ahead. If one is behind, more keys are
// remembered for longer, up to SeenBytes. A row that arrives in the future, by the later of the two
// clocks, comes when that time has come.
//
// A read must see what a write has acknowledged: with RF replicas of each row, of which W
// acknowledge a write and R answer a read, R + W must be greater than RF (LOCAL_QUORUM for both,
// for example; see Consistency). With less, such as ONE and ONE, a row may be on a replica that was
// not asked, and it is missed if no poll of the overlap asks the other one.
//
// # In which order
//
// Rows come in the order of their arrival, over all shards, except those that only a later poll
// finds: such a row comes behind rows that arrived an overlap later at most. That holds for a
// backlog too, and where a sink stalls. All rows are one part, read by one worker, a page ahead.
// Event time is a column like others: put operators.EventTime behind, with an OutOfOrderness that
// includes the overlap. A poll that finds nothing says that the part is idle. Of a time in which
// nothing was answered for longer than an overlap, or a clock has jumped by more, it says that
// nothing is known: writers come late too (operators.IdleAfter).
//
// # What it costs
//
// Each poll reads the overlap again, with a request or more for each partition that is not over:
// the shards of the current bucket, and of the one before it until that is an overlap ago. With
// Delay each row is read once. In addition it asks for the server's time.
//
// In memory are up to two pages, and one that is handed on: for each shard of a bucket as much of
// the first two. And the keys of the rows that the next poll will read again (SeenBytes). Older
// rows are not remembered, so a backlog of any size is read in flat memory, from buckets of any
// size.
//
// # Errors
//
//   - Check reports, all together, as rxcql.ErrSchema: an unknown table or column, columns that do
//     not fit T, a primary key that does not begin with the columns of Buckets, values of these
//     that do not fit the columns.
//   - A page that fails in a way that may pass is asked for again, see rxcql.WithRetry. A page that
//     fails for good is a rxcql.StageError around a rxcql.RowError that names the bucket.
//   - A table that is dropped, also if it is made again, ends the run with rxcql.ErrSchema.
//   - Too many keys in the overlap end the run with ErrTailFull.
//   - A row that cannot be decoded is a row error, as for Table.
//
// # In a job
//
// The checkpoint has how far each partition has been read, and the rows of the overlap that were
// given and settled. So the job goes on with the next row, also in the middle of a bucket, and
// nothing that arrived while it was down is missed. A checkpoint contains clustering keys of rows
// in their encoded form, one for each partition that is not over; of other rows only hashes.
// Buckets must stay as they were; the options may change. Rows that were given and not settled come
// again. Windows (operators.Window) know these from rows that have become visible in between since:
// what was counted is not late, and what is late is not taken for counted.
//
// Pipeline.Stop ends the stream, and so does operators.Take.
func Tail[T any](session *gocql.Session, table string, buckets Buckets, opts ...TailOption) rxcql.Stream[T] {
	cfg := newTailConfig()
	errs := []error{option.Apply(opts, &cfg, TailOption.applyTail), buckets.wrong()}
	if !cfg.until.IsZero() && !cfg.from.Before(cfg.until) {
		errs = append(errs, errors.New("TailUntil: must be after TailFrom"))
	}
	buckets.Columns = slices.Clone(buckets.Columns)
	t := newTail[T](session, table, buckets, cfg, &errs)
	info := rxcql.StageInfo{
		Name: t.title(), Source: true, Err: errors.Join(errs...),
		Check: func(ctx context.Context) error {
			_, err := t.plan(ctx)
			return err
		},
	}
	return rxcql.NewStream(info, t.run)
}

// tailing is the description of a tail. Runs do not change it.
type tailing[T any] struct {
	table[T]
	buckets Buckets
	cfg     tailConfig
}

func newTail[T any](session *gocql.Session, name string, buckets Buckets, cfg tailConfig, errs *[]error) *tailing[T] {
	t := &tailing[T]{table: table[T]{cfg: cfg.readConfig}, buckets: buckets, cfg: cfg}
	chosen := t.choose()
	var nameErr, sessionErr error
	t.keyspace, t.name, nameErr = schema.ParseName(name)
	t.session, sessionErr = driver.Wrap(session)
	*errs = append(*errs, chosen, nameErr, sessionErr)
	return t
}

// title returns the stage's name, with the table's name if that could be parsed.
func (t *tailing[T]) title() string {
	if t.name == "" {
		return "Tail"
	}
	return "Tail " + t.keyspace + "." + t.name
}

func (t *tailing[T]) run(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
	plan, err := t.plan(ctx)
	if err != nil {
		return st.Fail(err)
	}
	done, begun, err := st.Resume(t.identity(plan))
	if err != nil {
		return err
	}
	whole := part{name: flow.WholeRange.String(), span: flow.WholeRange}
	if len(begun) > 0 {
		whole.track = begun[0]
	}
	r := &reading[T]{workers: 1, reader: t.reader(plan), overlap: t.cfg.overlap}
	if len(done) == 0 {
		r.parts = []part{whole}
	}
	r.same = func(ctx context.Context) error {
		return unchanged(ctx, t.session, plan.about, among(t.names(plan.about)))
	}
	return r.run(ctx, st, out)
}

// identity returns what a position depends on. Positions have no page states, so servers may
// change.
func (t *tailing[T]) identity(plan *tailPlan) rxcql.Identity {
	id := rxcql.Identity{Facts: []rxcql.Fact{
		{Name: "table", Value: plan.about.Quoted()},
		{Name: "table id", Value: plan.about.ID},
		{Name: "statement", Value: plan.cql}, // names the columns
		{Name: "shards", Value: fmt.Sprint(t.buckets.shards())},
		{Name: "hash of the buckets", Value: plan.sample},
	}}
	id.Begun = func(state []byte) error {
		_, err := parseTailPlace(state, len(plan.about.ClusteringKey))
		return err
	}
	return id
}

// sampled are moments of which the buckets tell one way of cutting time from another.
var sampled = []time.Time{
	time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(2024, 2, 29, 11, 22, 33, 0, time.UTC), time.Date(2026, 7, 1, 0, 30, 0, 0, time.UTC),
}

// sample is a hash of some buckets and their values: functions cannot be compared.
func (t *tailing[T]) sample(plan *tailPlan) (string, error) {
	hash := sha256.New()
	for _, moment := range sampled {
		start, end, err := t.buckets.of(moment.UnixMilli())
		if err != nil {
			return "", err
		}
		values, err := t.buckets.values(start, plan.bucketTypes)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%d %d", start, end)
		for _, v := range values {
			fmt.Fprintf(hash, " %x", v.Bytes)
		}
	}
	fmt.Fprintf(hash, " %s", strings.Join(t.buckets.Columns, "\x00"))
	return hex.EncodeToString(hash.Sum(nil)[:16]), nil
}
