package rxcqltest

import (
	"testing"

	"github.com/rxcql/rxcql"
)

// SinkPlace is where a Sink writes rows of type T: a table, a file, a queue. It is empty
// at first.
type SinkPlace[T any] struct {
	// Sink makes a sink on the place, as another process would. One that is made, or
	// run, later adds to what is there or replaces it, and in a job goes on with it: to
	// refuse a place that is not empty would break several rules.
	Sink func() rxcql.Sink[T]

	// Row makes row number n, from 0. Rows of different numbers have nothing to do
	// with each other: each has a key of its own.
	Row func(n int) T

	// Rows are the numbers of the rows that are durable now, each as often as it is
	// there, in any order. It is called during runs too, from several goroutines.
	Rows func() []int

	// Copies is how often a row is written: by a Tee, once for each of its sinks. A
	// row counts as durable when all of these are. 0 stands for 1.
	Copies int

	// Bad makes row number n so that the sink cannot take it, though it takes others.
	// If it is nil, the rules about rows that fail are not tried.
	Bad func(n int) T

	// Repages: operators inside the sink make other pages of the rows, as MapConcurrent
	// does. Then errors and letters of rows have their place in those.
	Repages bool

	// Fail makes every write to the place fail for a reason that no row is to blame
	// for, and with false makes it work again. It may be called during a run. If it is
	// nil, the rules about failures are not tried.
	Fail func(fail bool)

	// Stall makes writes to the place hang until their context ends or it is called
	// with false. If it is nil, the rule about writes that hang is not tried.
	Stall func(stall bool)

	// IgnoreGoroutines are functions of goroutines that may go on, such as
	// "net/http.(*persistConn)", because they belong to a client that is not the
	// sink's. Those that gocql starts are ignored anyhow.
	IgnoreGoroutines []string
}

// TestSink tests a Sink. It calls place for each rule. Rules about jobs with a
// checkpoint are not tried on a sink that cannot be part of one.
func TestSink[T any](t *testing.T, place func(t testing.TB) SinkPlace[T]) {
	t.Helper()
	run(t, sinkRules[T](), place)
}

func sinkRules[T any]() (rules []rule[SinkPlace[T]]) {
	rules = append(rules, writingRules[T]()...)
	rules = append(rules, endingRules[T]()...)
	rules = append(rules, badRowRules[T]()...)
	return append(rules, jobRules[T]()...)
}

func (p SinkPlace[T]) copies() int64 { return int64(max(p.Copies, 1)) }

// counts are the rows that are there, and how often.
func (p SinkPlace[T]) counts() map[int]int {
	counts := map[int]int{}
	for _, n := range p.Rows() {
		counts[n]++
	}
	return counts
}

// hasOnce fails the test unless each of the rows of a run is there once.
func (p SinkPlace[T]) hasOnce(t testing.TB, when string) {
	t.Helper()
	there := p.counts()
	for n := range jobRows {
		if there[n] != 1 {
			t.Fatalf("%s: row %d is there %d times, not once", when, n, there[n])
		}
	}
}
