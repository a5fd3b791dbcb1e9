package operators

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

// ErrJoinFull is the kind of error of a MergeJoin that would have to keep too many rows of one key.
var ErrJoinFull = errors.New("rxcql: MergeJoin has no room for more rows of one key")

// DefaultJoinBytes is how many bytes of rows of one key MergeJoin keeps at most, unless JoinBytes
// is given.
const DefaultJoinBytes int64 = 16 << 20

// MergeJoinOption says what MergeJoin hands on, and bounds what it keeps.
type MergeJoinOption interface{ applyMergeJoin(*mergeJoinConfig) error }

type mergeJoinConfig struct {
	left, right bool // rows without a partner go on
	bytes       int64
}

type (
	joinKind  struct{ left, right bool }
	joinBytes int64
)

// JoinFull hands on every row of both sides, as FULL OUTER JOIN does. This is the default.
func JoinFull() MergeJoinOption { return joinKind{true, true} }

// JoinLeft hands on every row on the left, as LEFT JOIN does; rows on the right without a partner
// are dropped.
func JoinLeft() MergeJoinOption { return joinKind{left: true} }

// JoinRight hands on every row on the right, as RIGHT JOIN does; rows on the left without a partner
// are dropped.
func JoinRight() MergeJoinOption { return joinKind{right: true} }

// JoinInner hands on only rows with a partner, as JOIN does; the others are dropped.
func JoinInner() MergeJoinOption { return joinKind{} }

// JoinBytes is how many bytes of rows of one key on the right MergeJoin keeps at most.
func JoinBytes(n int64) MergeJoinOption { return joinBytes(n) }

func (k joinKind) applyMergeJoin(c *mergeJoinConfig) error {
	c.left, c.right = k.left, k.right
	return nil
}

func (n joinBytes) applyMergeJoin(c *mergeJoinConfig) error {
	c.bytes = int64(n)
	return atLeast("JoinBytes", int64(n), 1)
}

// MergeJoin joins two streams that are both in order of a key: each row with the rows of the other
// side that have an equal key. Rows on the left that have no partner come alone, and so do those on
// the right, unless JoinLeft, JoinRight or JoinInner says otherwise. compare compares keys as
// cmp.Compare does.
//
//	pairs := operators.MergeJoin(customers, orders,
//		func(c Customer) int { return c.ID }, func(o Order) int { return o.Customer }, cmp.Compare[int])
//
// Keys may be equal on both sides, as in SQL: n rows on the left and m on the right make n × m
// pairs.
//
// Order is that of the key. Pairs of one key come in the order of the left side, those of one row
// on the left in the order of the right. A side that is not in order is an error, ErrOutOfOrder,
// which names the row. So is a table that several workers read: with rxcql.WithWorkers(1) it has
// the order of its tokens, which the key of another stream seldom has.
//
// Both sides are read at once, each in a goroutine of its own, to their ends. Of each side a page
// waits until its rows have gone on. Rows of one key on the right are kept where more of that key
// may follow on either side, in the next page. They are charged to the budget; more than JoinBytes
// are an error, ErrJoinFull. So the side with fewer rows of a key is best the one on the right. A
// Batch before one of the sides that the budget has no room for is a flow.BudgetHeldError, as
// everywhere.
//
// Rows without a partner that are dropped count as filtered. If reading is stopped (Pipeline.Stop)
// nothing goes on alone that may have had a partner; its page is left unsettled.
//
// It is not resumable: when a job goes on, the sides begin at different places, and rows whose
// partners were settled would come alone. For two tables use source.TablePair, which is one source
// with one position.
func MergeJoin[L, R, K any](left rxcql.Stream[L], right rxcql.Stream[R], leftKey func(L) K, rightKey func(R) K,
	compare func(a, b K) int, opts ...MergeJoinOption,
) rxcql.Stream[rxcql.Pair[L, R]] {
	cfg := mergeJoinConfig{left: true, right: true, bytes: DefaultJoinBytes}
	info := rxcql.StageInfo{
		Name: "MergeJoin", MixesRows: true, HoldsRows: true, NotResumable: true,
		NotResumableReason: "when the job goes on its two sides begin at different places, and rows whose partners are settled would " +
			"come alone; for two tables use source.TablePair, which reads both as one source",
		Err: errors.Join(required("the key function of the left side", leftKey == nil), required("the key function of the right side", rightKey == nil),
			required("the function compare", compare == nil), option.Apply(opts, &cfg, MergeJoinOption.applyMergeJoin)),
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[rxcql.Pair[L, R]]) error {
		j := &mergeJoining[L, R, K]{
			stepping: newStepping(st, out), mergeJoinConfig: cfg, compare: compare,
			size: rxcql.SizeFunc[R](), keep: rxcql.CloneFunc[R](),
		}
		keepKey := rxcql.CloneFunc[K]()
		j.left = &keyed[L, K]{input: addInput(&j.inStep, left), key: leftKey, keep: keepKey, side: "the left side"}
		j.right = &keyed[R, K]{input: addInput(&j.inStep, right), key: rightKey, keep: keepKey, side: "the right side"}
		j.free = true
		j.limit.Store(0)
		j.work, j.flush, j.tell, j.more = j.join, j.handOnPairs, j.sayOrKeep, j.shareKept
		return ending(func() error { return j.finish(ctx) }, func(err error) {
			if j.kept != nil {
				j.kept.reservation.Finish(err)
			}
		})
	}, left, right)
}

// keyed is a side of MergeJoin.
type keyed[T, K any] struct {
	*input[T]
	key   func(T) K
	keep  func(K) K
	side  string
	now   K    // the key of the row at hand if known, else that of the row before
	known bool // now is of the row at hand
	later bool // there was a row before
}

// look makes now the key of the row at hand.
func (k *keyed[T, K]) look(s *inStep, compare func(a, b K) int) error {
	if k.known {
		return nil
	}
	key := k.key(k.list[k.next])
	if k.later && compare(k.now, key) > 0 {
		return s.outOfOrder(k.atHand, k.side, k.next)
	}
	k.now, k.known, k.later = key, true, true
	return nil
}

// pass goes on to the next row.
func (k *keyed[T, K]) pass() {
	k.known = false
	if k.next++; k.next == k.rows {
		k.now = k.keep(k.now) // the page goes
	}
}

// row is the row at hand.
func (k *keyed[T, K]) row() T { return k.list[k.next] }
