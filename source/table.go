package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/schema"
)

// defaultSplits is the least number of token ranges unless Splits says otherwise.
const defaultSplits = 64

// Table reads a whole table by token ranges, several at a time (rxcql.WithWorkers). The name is
// "keyspace.table", each part in double quotes where CQL would need them. Only the columns that T
// needs are read.
//
// The ranges tile the ring (-2^63, 2^63-1] exactly, with a border at every node's token. So every
// row that is there throughout the scan is read once; a scan is no snapshot. Rows of one range come
// in the order of their tokens and, within a partition, of the clustering key. Pages of different
// ranges come as they arrive. Rows of a partition are never spread over two ranges. Only the pages
// in flight are in memory, see flow.Budget.
//
// Under a limit from downstream (operators.Take) of up to 5,000 rows, one range is read after the
// other, without reading ahead, in pages no larger than the limit.
//
// Errors:
//
//   - Check reports, all together, as rxcql.ErrSchema: an unknown table or column, columns that do
//     not fit T, a partitioner other than Murmur3Partitioner.
//   - A page that fails in a way that may pass (a timeout, an overloaded or lost node) is asked for
//     again, see rxcql.WithRetry; no row is handed on twice.
//   - A page that fails for good is a rxcql.StageError around a rxcql.RowError with the token range
//     and the page's number. With AdaptiveSplits, what met too many tombstones, or timed out, is
//     read in pieces instead.
//   - A row that cannot be decoded is a row error (rxcql.WithRowErrors) that has the row's index
//     too. Its dead letter is the rxcql.Row as it was received.
func Table[T any](session *gocql.Session, name string, opts ...TableOption) rxcql.Stream[T] {
	t := &table[T]{cfg: newReadConfig()}
	errs := []error{option.Apply(opts, &t.cfg, TableOption.applyTable), t.choose()}
	var err error
	t.keyspace, t.name, err = schema.ParseName(name)
	errs = append(errs, err)
	t.session, err = driver.Wrap(session)
	errs = append(errs, err)

	info := rxcql.StageInfo{
		Name: t.title(), Source: true, MixesRows: t.cfg.adaptive, Err: errors.Join(errs...),
		Check: func(ctx context.Context) error {
			_, _, schemaErr := t.plan(ctx)
			_, _, ringErr := t.ranges(ctx)
			return errors.Join(schemaErr, ringErr)
		},
	}
	if t.cfg.adaptive {
		return rxcql.NewStream(info, t.adaptively)
	}
	return rxcql.NewStream(info, t.run)
}

// table is the description of a table source. Runs do not change it.
type table[T any] struct {
	session        *driver.Session
	keyspace, name string
	cfg            readConfig
}

// title returns the stage's name, with the table's name if that could be parsed.
func (t *table[T]) title() string {
	if t.name == "" {
		return "Table"
	}
	return "Table " + t.keyspace + "." + t.name
}

// choose determines which columns are read, as far as T says.
func (t *table[T]) choose() (err error) {
	if isRow[T]() {
		return nil
	}
	if t.cfg.times {
		return fmt.Errorf("Times: rows must be rxcql.Row, which has room for the times, and not %s", reflect.TypeFor[T]())
	}
	t.cfg.columns, err = codec.ChooseColumns[T](t.cfg.columns)
	return err
}

// plan compares T with the table and returns the statement.
func (t *table[T]) plan(ctx context.Context) (about *schema.Table, cql string, err error) {
	about, names, times, err := t.reads(ctx)
	if err != nil {
		return nil, "", err
	}
	return about, statement(about, append(quoted(names), times...)), nil
}

func (t *table[T]) run(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
	about, cql, err := t.plan(ctx)
	if err != nil {
		return st.Fail(err)
	}
	ranges, version, err := t.ranges(ctx)
	if err != nil {
		return st.Fail(err)
	}
	done, begun, err := st.Resume(t.identity(about, cql, version))
	if err != nil {
		return err
	}
	r := &reading[T]{workers: st.Run().Workers(), reader: newPaged[T](t.session, t.cfg, about)}
	r.same = func(ctx context.Context) error { return unchanged(ctx, t.session, about, among(t.names(about))) }
	add := func(span flow.TokenRange, track *flow.Track) {
		r.parts = append(r.parts, part{
			index: len(r.parts), name: span.String(), span: span, track: track, st: driver.Statement{
				CQL: cql, Args: []any{span.Start, span.End}, Consistency: t.cfg.consistency, Idempotent: true,
			},
		})
	}
	for _, track := range begun { // with exactly the borders that their page states are for
		add(track.Range(), track)
	}
	for _, span := range flow.Remaining(ranges, done, begun) {
		add(span, nil)
	}
	r.ring = func(st *rxcql.Stage) *ringProgress { return newRingProgress(st, ranges, r.parts) }
	return r.run(ctx, st, out)
}

// identity returns what a position in this table depends on.
func (t *table[T]) identity(about *schema.Table, cql, version string) rxcql.Identity {
	id := rxcql.Identity{Facts: []rxcql.Fact{
		{Name: "table", Value: about.Quoted()},
		{Name: "table id", Value: about.ID},
		{Name: "share", Value: fmt.Sprintf("%d of %d", t.cfg.shard, t.cfg.of)},
		{Name: "statement", Value: cql}, // names the columns
	}}
	id.Facts = append(id.Facts, t.cfg.only.facts()...)
	id.Pages = "Cassandra " + version
	id.Begun = notSliced
	return id
}

// ranges tiles the ring as it is now. version is that of the server.
func (t *table[T]) ranges(ctx context.Context) (ranges []flow.TokenRange, version string, err error) {
	now, err := t.ring(ctx)
	if err != nil {
		return nil, "", err
	}
	ranges, err = tile(now.Tokens, t.cfg.splits, t.cfg.shard, t.cfg.of)
	return t.cfg.only.of(ranges), now.ReleaseVersion, err
}

// ring returns the ring as it is now.
func (t *table[T]) ring(ctx context.Context) (driver.Ring, error) {
	now, err := ringOf(ctx, t.session)
	if err == nil && !now.Murmur3() {
		err = fmt.Errorf("%w: the cluster's partitioner is %s; reading by token ranges needs Murmur3Partitioner, use Query",
			rxcql.ErrSchema, now.Partitioner)
	}
	return now, err
}

// tile cuts the ring at the tokens of nodes and into so many ranges at least, and returns a share.
func tile(tokens []int64, splits, shard, of int) (ranges []flow.TokenRange, err error) {
	all := ring.Tile(tokens, cmp.Or(splits, defaultSplits))
	if err := ring.Covers(all); err != nil {
		return nil, err
	}
	for _, r := range ring.Shard(all, shard, of) {
		ranges = append(ranges, flow.TokenRange(r))
	}
	return ranges, nil
}
