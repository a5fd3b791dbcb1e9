package sink_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

func TestGroupAdjacentInsideASinkIsRefusedBehindAStreamThatMixesRows(t *testing.T) {
	groups := sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[operators.Group[int, int]] {
		return operators.GroupAdjacent(in, func(n int) int { return n / 10 }, func() int { return 0 }, func(sum, n int) (int, error) { return sum + n, nil })
	}, sink.Each(func(context.Context, operators.Group[int, int]) error { return nil }))
	each := sink.Each(func(context.Context, int) error { return nil })
	behind := sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[int] { return in }, groups)
	for _, to := range []rxcql.Sink[int]{groups, sink.Tee(each, groups), behind} {
		_, err := rxcql.New(operators.Merge(sequence(1, 2), sequence(3)), to)
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, "GroupAdjacent, inside the sink")
		_, err = rxcql.New(sequence(1, 2), to)
		require.NoError(t, err)
	}
	mixed := func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.MapConcurrent(in, 2, func(_ context.Context, n int) (int, error) { return n, nil }, operators.Unordered())
	}
	for name, to := range map[string]rxcql.Sink[int]{
		"mixed inside the sink":            sink.Through(mixed, groups),
		"mixed inside the sink, in a Tee":  sink.Tee(each, sink.Through(mixed, sink.Tee(each, groups))),
		"mixed inside the sink, one later": sink.Through(mixed, behind),
	} {
		_, err := rxcql.New(sequence(1, 2), to)
		require.ErrorIs(t, err, rxcql.ErrConfig, name)
		require.ErrorContains(t, err, "GroupAdjacent, inside the sink", name)
	}
}
