package rxcqltest

import (
	"testing"

	"github.com/rxcql/rxcql"
)

// SinkPlace is where a Sink writes rows of type T: a table, a file, a queue. It is empty at first.
type SinkPlace[T any] struct {
	// Sink makes a sink on the place, as another process would. A sink that is made or run later
	// must add to what is there or replace it, or go on with it in a job. It must not refuse a
	// place that is not empty: several rules need that.
	Sink func() rxcql.Sink[T]

	// Row makes row number n, from 0. Rows of different numbers are independent: each has a key of
	// its own.
	Row func(n int) T

	// Rows returns the numbers of the rows that are durable now, each as many times as it is there,
	// in any order. It is called during runs too, from several goroutines.
	Rows func() []int

	// Copies is how many times each row is written; for a Tee it is the number of its sinks. A row
	// counts as durable when all copies are. 0 stands for 1.
	Copies int

	// Bad makes row number n such that the sink cannot take it, though it takes others. If Bad is
	// nil, the rules about rows that fail are skipped.
	Bad func(n int) T

	// Repages: operators inside the sink make other pages of the rows, as MapConcurrent does. Then
	// errors and letters give the place of a row in those pages. Operators inside must hand on one
	// row for each row: what Batch makes, for example, does not count as rows do.
	Repages bool

	// Fail(true) makes every write to the place fail for a reason that no row is to blame for;
	// Fail(false) makes it work again. It may be called during a run. If Fail is nil, the rules
	// about failures are skipped. A sink that gathers more than 20,000 rows before it writes any
	// cannot keep one of them: that a write which fails ends a run that waits.
	Fail func(fail bool)

	// Stall(true) makes writes to the place hang until their context ends or Stall(false) is
	// called. If Stall is nil, the rule about writes that hang is skipped.
	Stall func(stall bool)

	// Panic(true) makes the next writes panic, as a function of a user's that the sink calls may;
	// Panic(false) ends that. If Panic is nil, the rule about panics is skipped.
	Panic func(panics bool)

	// Around makes such a sink with another one inside, for a sink that hands pages on to others, as
	// sink.Tee and sink.Through do. The suite gives a sink of its own, and sees whether it is called
	// as the engine calls sinks. If Around is nil, the rules about sinks inside are skipped.
	Around func(inside rxcql.Sink[T]) rxcql.Sink[T]

	// IgnoreGoroutines are functions of goroutines that may go on, such as
	// "net/http.(*persistConn)", because they belong to a client that is not the sink's. Goroutines
	// that gocql starts are ignored anyway.
	IgnoreGoroutines []string
}

// TestSink tests a Sink. It calls place once for each rule. For a sink that cannot be part of a
// job, the rules about jobs with a checkpoint are skipped.
func TestSink[T any](t *testing.T, place func(t testing.TB) SinkPlace[T]) {
	t.Helper()
	run(t, sinkRules[T](), place)
}

func sinkRules[T any]() (rules []rule[SinkPlace[T]]) {
	rules = append(rules, writingRules[T]()...)
	rules = append(rules, endingRules[T]()...)
	rules = append(rules, badRowRules[T]()...)
	rules = append(rules, insideRules[T]()...)
	return append(rules, jobRules[T]()...)
}

func (p SinkPlace[T]) copies() int64 { return int64(max(p.Copies, 1)) }

// counts returns how many times each row is there.
func (p SinkPlace[T]) counts() map[int]int {
	counts := map[int]int{}
	for _, n := range p.Rows() {
		counts[n]++
	}
	return counts
}

// hasOnce fails the test unless each row of a run is there once.
func (p SinkPlace[T]) hasOnce(t testing.TB, when string) {
	t.Helper()
	there := p.counts()
	for n := range jobRows {
		if there[n] != 1 {
			t.Fatalf("%s: row %d is there %d times, not once", when, n, there[n])
		}
	}
}
