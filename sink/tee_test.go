package sink_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/sink"
)

func TestTeeFeedsEverySinkAndThroughPutsOperatorsBeforeOne(t *testing.T) {
	var all, evens []int
	rep, err := run(t, ints(1000), sink.Tee(collect(&all), sink.Through(even, collect(&evens))))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Len(t, all, 1000)
	require.Len(t, evens, 500)
	require.EqualValues(t, 1500, rep.Written)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
}

func TestATeeFlushesAndClosesEveryBranchAndJoinsTheirErrors(t *testing.T) {
	first, third := errors.New("first"), errors.New("third")
	closed := 0
	_, err := run(t, ints(1), sink.Tee[int](&probe{fail: first, closed: &closed}, &probe{closed: &closed}, &probe{fail: third, closed: &closed}))
	require.ErrorIs(t, err, first)
	require.ErrorIs(t, err, third)
	require.Equal(t, 3, closed)
}

func TestOneFailingBranchOfATeeFailsTheRunAndAllAreClosed(t *testing.T) {
	broken := errors.New("broken")
	closed := 0
	branch := func(fail error) rxcql.Sink[int] { return &probe{fail: fail, closed: &closed} }
	_, err := run(t, ints(10), sink.Tee(branch(nil), branch(broken), branch(nil)))
	require.ErrorIs(t, err, broken)
	require.Equal(t, 3, closed)

	closed = 0
	_, err = run(t, ints(10), sink.Tee(branch(nil), &probe{open: broken, closed: &closed}))
	require.ErrorIs(t, err, broken)
	require.Equal(t, 1, closed, "those opened before")
}

// probe is a sink that fails as it is told.
type probe struct {
	open, fail error
	closed     *int
}

func (p *probe) Info() rxcql.SinkInfo { return rxcql.SinkInfo{} }

func (p *probe) Check(context.Context) error { return nil }

func (p *probe) Open(context.Context, *rxcql.Execution) (rxcql.Writer[int], error) {
	if p.open != nil {
		return nil, p.open
	}
	return p, nil
}

func (p *probe) Write(context.Context, *flow.Page[int]) error { return nil }
func (p *probe) Flush(context.Context) error                  { return p.fail }
func (p *probe) Close() error                                 { *p.closed++; return nil }

func ExampleTee() {
	out := func(name string) rxcql.Sink[int] {
		return sink.Each(func(_ context.Context, n int) error {
			fmt.Println(name, n)
			return nil
		})
	}
	p, err := rxcql.New(ints(2), sink.Tee(out("first"), out("second")))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = p.Run(context.Background())
	fmt.Println(err)
	// Output:
	// first 0
	// first 1
	// second 0
	// second 1
	// <nil>
}
