package rxcqltest

import (
	"testing"

	"github.com/rxcql/rxcql"
)

// OperatorPlace is an operator from rows of type A to rows of type B, and what is to be known
// of it. Rows in are numbered from 0, and rows out say of which of them they are made.
type OperatorPlace[A, B any] struct {
	// Operator puts the operator behind a stream, for one pipeline.
	Operator func(in rxcql.Stream[A]) rxcql.Stream[B]

	// Row makes row number n. Three parts have 20 each: 0 to 19, 20 to 39, and 40 to 59.
	Row func(n int) A

	// From are the numbers of the rows that a row out is made of: one for Map, all that
	// are in it for Batch; none for a row that no row in is behind.
	From func(row B) []int

	// Drops tells which rows do not come out, on purpose. Nil: all come out.
	Drops func(n int) bool

	// Copies is how often a row comes out. 0 stands for 1.
	Copies int

	// Unordered: rows of a part may come out in another order.
	Unordered bool

	// Ends: the operator may end the stream before all rows have come. Which rows come out is not
	// looked at then.
	Ends bool

	// SetsWatermarks: the operator says itself how far event time is, as operators.EventTime does,
	// and not what the source says. What it says is not looked at.
	SetsWatermarks bool

	// Detached: rows leave the engine, as in operators.Rx, and what comes back cannot be told
	// to be made of them. So a page counts as settled when its rows have left, and what comes
	// out is of a part of the operator's own (flow.Origin), without watermarks. The rules
	// about that are not tried. Such an operator must be marked as not resumable.
	Detached bool

	// Folds: what the operator keeps of rows is a state that they go into, as in
	// operators.GroupAdjacent, and no rows. So it is not charged to the budget, and the rule
	// about that is not tried.
	Folds bool

	// IgnoreGoroutines are functions of goroutines that may go on, because they are not
	// the operator's; see SinkPlace.
	IgnoreGoroutines []string
}

// TestOperator tests an operator: that it keeps the rules of flow.Observer, flow.Page and
// flow.Reservation. It calls place for each rule. Rules about jobs with a checkpoint are not
// tried on an operator that cannot be part of one.
//
// An operator that has several ways to work (that drops rows or all of them, with a time limit)
// is to be tested in each.
func TestOperator[A, B any](t *testing.T, place func(t testing.TB) OperatorPlace[A, B]) {
	t.Helper()
	run(t, operatorRules[A, B](), place)
}

func operatorRules[A, B any]() (rules []rule[OperatorPlace[A, B]]) {
	rules = append(rules, rowRules[A, B]()...)
	rules = append(rules, callRules(func(_ testing.TB, p OperatorPlace[A, B]) subject[B] {
		return subject[B]{stream: p.newRun(paged(jobRows)).stream, ignored: p.IgnoreGoroutines}
	})...)
	rules = append(rules, partRules[A, B]()...)
	rules = append(rules, quietRules[A, B]()...)
	rules = append(rules, receiptRules[A, B]()...)
	return append(rules, rule[OperatorPlace[A, B]]{
		"A job that is broken off again and again settles no row that has not come out", operatorBrokenOff[A, B],
	})
}

func (p OperatorPlace[A, B]) copies() int { return max(p.Copies, 1) }

func (p OperatorPlace[A, B]) drops(n int) bool { return p.Drops != nil && p.Drops(n) }
