package sink_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
)

func TestATeeCountsRowsOnceForEveryBranchThatKeepsThemAndNoMore(t *testing.T) {
	rows := make([]string, 600)
	for i := range rows {
		if i%100 == 99 {
			rows[i] = strings.Repeat("x", 1<<20)
		}
	}
	keeping := sink.Each(func(_ context.Context, row string) error {
		time.Sleep(time.Duration(len(row)) * time.Microsecond)
		return nil
	}, sink.InFlight(64))
	direct := sink.Each(func(context.Context, string) error { return nil })

	for name, each := range map[string]struct {
		out   rxcql.Sink[string]
		times int64 // branches that keep rows
	}{
		"one keeps rows":    {sink.Tee(direct, keeping, direct), 1},
		"three keep rows":   {sink.Tee(keeping, direct, keeping, keeping), 3},
		"one within a Tee":  {sink.Tee(keeping, sink.Tee(direct, keeping)), 2},
		"behind a Through":  {sink.Tee(keeping, sink.Through(same, keeping)), 2},
		"all of them alone": {keeping, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			rep, err := run(t, sequence(rows...), each.out, rxcql.WithBudget(rxcql.MinBudgetPerInput))
			require.NoError(t, err, name)
			promised := rep.Budget + int64(rep.PeakFetches)*rep.LargestPage
			require.LessOrEqual(t, rep.PeakBytes, each.times*promised, name)
			require.GreaterOrEqual(t, rep.PeakBytes, each.times*rep.LargestPage, name)
			require.Zero(t, rep.BytesInFlight, name)
		})
	}
}

func same(in rxcql.Stream[string]) rxcql.Stream[string] { return in }
