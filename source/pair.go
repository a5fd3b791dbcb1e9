package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/keyorder"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/schema"
)

// TablePair reads two tables side by side, and pairs their rows by primary key: a row of each under
// one key, or of one table where the other has none (a full outer join). It is for comparing tables
// and for copying what differs. Names are as for Table; the sessions may be of two clusters.
//
//	pairs := source.TablePair[Order, Order](old, "shop.orders", new, "shop.orders")
//	differing := operators.Filter(pairs, func(p rxcql.Pair[Order, Order]) bool {
//		return !p.Both() || p.Left != p.Right
//	})
//
// L and R are as T of Table, and may differ. Key columns are read in any case, also where the type
// has no field for them; a rxcql.Row has them in addition to the columns that Columns names.
//
// Keys are matched by position, so the columns may have other names. What must be alike is checked
// before reading starts: the number of columns in the partition key and in the clustering key,
// their types (an int and a bigint have other bytes, and so other places in the ring) and the
// directions of the clustering order. Keys are one if they are one to the server: of clustering
// columns, a decimal 1.0 and a decimal 1.00 are. A partition that has static columns only is a row
// whose clustering columns are null, and is paired with another such row. A pair counts as one row
// in reports.
//
// Both tables are read by the same token ranges (Splits, Shard), with a border at every node's
// token of either cluster, in the order of the server: by token, partition key and clustering
// columns. Pairs of one range come in that order, and pairs of one partition together. In memory
// are at most a page of each table for each range that is read (rxcql.WithWorkers), however large
// the partitions are. A range reserves room for both pages at once; with a small budget fewer
// ranges are read at a time.
//
// The two tables are read at nearly the same time, and that is no snapshot: a row that is written
// meanwhile may be in one page and not yet in the other. Before you act on a difference, stop the
// writes or read the two rows again. Rows that come in another order than the one they are merged
// by end the run; they never become differences.
//
// Options: Splits, Shard, Only, AdaptiveSplits, Consistency, PageRows, Times and Throttle for both
// tables, Left and Right for one. The last one of a kind counts. Limits from downstream and retries
// of pages are as for Table. So are errors, which name the table; in addition:
//
//   - Check reports keys that cannot be matched, as rxcql.ErrSchema.
//   - A row that cannot be decoded takes its pair along: the pair is one row error
//     (rxcql.WithRowErrors), and is not taken for a row of one table only. Its dead letter is the
//     rxcql.Row of that table.
//   - A table that is dropped and made again ends the run with rxcql.ErrSchema, when the next page
//     of it is asked for or at the end.
//
// In a job a position holds the places in both tables and the last key. So checkpoints contain keys
// of rows, in their encoded form, as the page states of Cassandra do. If either server's version
// has changed, ranges that had begun are read from their beginning again, in both tables.
func TablePair[L, R any](left *gocql.Session, leftTable string, right *gocql.Session, rightTable string, opts ...PairOption) rxcql.Stream[rxcql.Pair[L, R]] {
	cfg := pairConfig{of: 1, left: newReadConfig(), right: newReadConfig()}
	err := option.Apply(opts, &cfg, PairOption.applyPair)
	p := &pair[L, R]{splits: cfg.splits, shard: cfg.shard, of: cfg.of, only: cfg.only, adaptive: cfg.adaptive}
	var errL, errR error
	p.left, errL = newPairTable[L](left, leftTable, cfg.left)
	p.right, errR = newPairTable[R](right, rightTable, cfg.right)
	info := rxcql.StageInfo{
		Name: p.title(), Source: true, Err: errors.Join(err, named("left", errL), named("right", errR)),
		Check: func(ctx context.Context) error {
			_, planErr := p.plan(ctx)
			_, _, ringErr := p.ranges(ctx)
			return errors.Join(planErr, ringErr)
		},
	}
	return rxcql.NewStream(info, p.run)
}

// pair is the description of a source of pairs. Runs do not change it.
type pair[L, R any] struct {
	left      *table[L]
	right     *table[R]
	splits    int
	shard, of int
	only      only
	adaptive  bool // see AdaptiveSplits
}

func newPairTable[T any](session *gocql.Session, name string, cfg readConfig) (*table[T], error) {
	t := &table[T]{cfg: cfg}
	chosen := t.choose()
	var nameErr, sessionErr error
	t.keyspace, t.name, nameErr = schema.ParseName(name)
	t.session, sessionErr = driver.Wrap(session)
	return t, errors.Join(chosen, nameErr, sessionErr)
}

// named says which of the two tables an error is about.
func named(side string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", side, err)
}

// title returns the stage's name, with those of the tables if they could be parsed.
func (p *pair[L, R]) title() string {
	if p.left.name == "" || p.right.name == "" {
		return "TablePair"
	}
	return fmt.Sprintf("TablePair %s.%s and %s.%s", p.left.keyspace, p.left.name, p.right.keyspace, p.right.name)
}

// pairPlan is what a run reads.
type pairPlan struct {
	left, right sidePlan
	order       *keyorder.Order
}

// plan compares the types with the tables, and the keys of the tables with each other.
func (p *pair[L, R]) plan(ctx context.Context) (*pairPlan, error) {
	left, errL := planSide(ctx, p.left)
	right, errR := planSide(ctx, p.right)
	if err := errors.Join(named("left", errL), named("right", errR)); err != nil {
		return nil, err
	}
	order, err := mergeable(left.about, right.about)
	if err != nil {
		return nil, fmt.Errorf("%w: tables %s and %s cannot be read side by side: %w",
			rxcql.ErrSchema, left.about.Quoted(), right.about.Quoted(), err)
	}
	return &pairPlan{left: left, right: right, order: order}, nil
}

// ranges tiles the rings of both tables as they are now. version is that of both servers.
func (p *pair[L, R]) ranges(ctx context.Context) (ranges []flow.TokenRange, version string, err error) {
	left, errL := p.left.ring(ctx)
	right, errR := p.right.ring(ctx)
	if err := errors.Join(named("left", errL), named("right", errR)); err != nil {
		return nil, "", err
	}
	ranges, err = tile(append(left.Tokens, right.Tokens...), p.splits, p.shard, p.of)
	return p.only.of(ranges), fmt.Sprintf("Cassandra %s and %s", left.ReleaseVersion, right.ReleaseVersion), err
}

func (p *pair[L, R]) run(ctx context.Context, st *rxcql.Stage, out flow.Observer[rxcql.Pair[L, R]]) error {
	plan, err := p.plan(ctx)
	if err != nil {
		return st.Fail(err)
	}
	ranges, version, err := p.ranges(ctx)
	if err != nil {
		return st.Fail(err)
	}
	done, begun, err := st.Resume(p.identity(plan, version))
	if err != nil {
		return err
	}
	r := &reading[rxcql.Pair[L, R]]{workers: st.Run().Workers(), reader: p.merging(plan)}
	r.same = func(ctx context.Context) error {
		return errors.Join(named("left", unchanged(ctx, p.left.session, plan.left.about, among(plan.left.names))),
			named("right", unchanged(ctx, p.right.session, plan.right.about, among(plan.right.names))))
	}
	for _, track := range begun { // with exactly the borders that their page states are for
		r.parts = append(r.parts, part{index: len(r.parts), name: track.Range().String(), span: track.Range(), track: track})
	}
	for _, span := range flow.Remaining(ranges, done, begun) {
		r.parts = append(r.parts, part{index: len(r.parts), name: span.String(), span: span})
	}
	r.ring = func(st *rxcql.Stage) *ringProgress { return newRingProgress(st, ranges, r.parts) }
	return r.run(ctx, st, out)
}

// identity returns what a position in the two tables depends on.
func (p *pair[L, R]) identity(plan *pairPlan, version string) rxcql.Identity {
	id := rxcql.Identity{Pages: version, Begun: func(state []byte) error {
		place, err := parsePairPlace(state, flow.WholeRange, plan.order.Columns())
		if err == nil && !p.adaptive {
			err = place.notSliced()
		}
		return err
	}}
	id.Facts = append(plan.left.facts("left"), plan.right.facts("right")...)
	id.Facts = append(id.Facts, rxcql.Fact{Name: "share", Value: fmt.Sprintf("%d of %d", p.shard, p.of)})
	id.Facts = append(id.Facts, p.only.facts()...)
	return id
}
