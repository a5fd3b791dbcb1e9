package source_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// Tables of random rows, of one side or of both, in pages of any size, with failures and pages
// without rows, on the least budget with eight workers, in jobs that are broken off anywhere: what
// comes is the full outer join.
func TestPairsAreTheFullOuterJoinWhateverHappens(t *testing.T) {
	for seed := range someSeeds() {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTrial(t, seed)
				if seed%4 > 0 {
					tr.trouble()
				}
				if tr.pairs() == 0 {
					return
				}
				if seed%2 == 0 {
					tr.cutOff(t)
					return
				}
				counts := map[int]int{}
				var last *wholeLeft
				pairs := source.TablePair[wholeLeft, rxcql.Row](tr.session[0], "ks.l", tr.session[1], "ks.r", tr.opts...)
				report, err := pairs.ForEach(t.Context(), func(p rxcql.Pair[wholeLeft, rxcql.Row]) error {
					right := 0
					if p.HasRight {
						n, err := rxcql.Value[int](p.Right, "m")
						require.NoError(t, err)
						right = n
					}
					counts[tr.look(t, p.HasLeft, p.HasRight, p.Left.N, right)]++
					if last != nil && p.HasLeft && bytes.Equal(last.K, p.Left.K) {
						require.True(t, last.C > p.Left.C || last.C == p.Left.C && last.D < p.Left.D)
					}
					if p.HasLeft {
						last = &p.Left
					}
					return nil
				}, tr.run...)
				require.NoError(t, err)
				require.Zero(t, report.BytesInFlight)
				require.LessOrEqual(t, report.PeakBytes, report.Budget+int64(report.PeakFetches)*report.LargestPage)
				require.Len(t, counts, tr.pairs())
				for n, times := range counts {
					require.Equal(t, 1, times, "row %d", n)
				}
			})
		})
	}
}

// A job goes on behind each of its pages in turn.
func TestAPairGoesOnAfterEachOfItsPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, 3)
		store := &jobtest.Store{}
		total := int64(0)
		for run := 0; ; run++ {
			require.Less(t, run, 2000)
			pairs := source.TablePair[wholeLeft, valueRight](tr.session[0], "ks.l", tr.session[1], "ks.r",
				source.PageRows(3), source.Right(source.PageRows(2)), source.Splits(2))
			var p *rxcql.Pipeline
			p, err := rxcql.New(pairs, sink.Each(func(_ context.Context, row rxcql.Pair[wholeLeft, valueRight]) error {
				tr.look(t, row.HasLeft, row.HasRight, row.Left.N, row.Right.N)
				p.Stop()
				return nil
			}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"), rxcql.WithWorkers(1))
			require.NoError(t, err)
			report, err := p.Run(t.Context())
			require.NoError(t, err)
			require.Equal(t, total, report.ResumedRows)
			total += report.ReadRows
			if report.Complete {
				break
			}
		}
		require.EqualValues(t, tr.pairs(), total)
	})
}

func TestPairsBeginAgainInBothTablesWhereAServerIsOfAnotherVersion(t *testing.T) {
	_, _, old, fresh := shops(t)
	store := &jobtest.Store{}
	read := func(stopAfter int) rxcql.Report {
		var p *rxcql.Pipeline
		left := stopAfter
		pairs := source.TablePair[order, bill](old, "shop.orders", fresh, "billing.bills", source.PageRows(2), source.Splits(1))
		p, err := rxcql.New(pairs, sink.Each(func(context.Context, rxcql.Pair[order, bill]) error {
			if left--; left == 0 {
				p.Stop()
			}
			return nil
		}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"), rxcql.WithWorkers(1))
		require.NoError(t, err)
		report, err := p.Run(t.Context())
		require.NoError(t, err)
		return report
	}
	first := read(7)
	require.False(t, first.Complete)
	state, err := store.State("job")
	require.NoError(t, err)
	require.Equal(t, "Cassandra 5.0.6 and 5.0.6", state.Sources[0].Pages)
	require.NotEmpty(t, state.Sources[0].Parts)
	state.Sources[0].Pages = "Cassandra 5.0.6 and 5.0.5"
	data, err := saved.Encode(state)
	require.NoError(t, err)
	store.Put("job", data)
	again := read(0)
	require.True(t, again.Complete)
	require.EqualValues(t, len(wanted()), again.ReadRows+again.ResumedRows)
	require.EqualValues(t, state.Sources[0].Rows, again.ResumedRows, "what had begun is read from its beginning")
}
