package sink_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func allocated(live bool) uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // a sync.Pool keeps things for one more
	runtime.ReadMemStats(&m)
	if live {
		return m.HeapAlloc
	}
	return m.TotalAlloc
}

// With a hold of each batch on each page these were 1.3 GB.
func TestPagesOfOneRowAreSettledByOneReceiptForAll(t *testing.T) {
	const rows = 40_000
	before := allocated(false)
	rep, err := run(t, inTurn(rows, source.PageRows(1)), sink.TableOn[event](sink.Server(func(context.Context, sink.Sent) error { return nil }), events(),
		sink.BatchByReplicaSet(0, 0), sink.SortByToken()), rxcql.WithBudget(32<<20))
	require.NoError(t, err)
	require.EqualValues(t, rows, rep.Written)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Less(t, allocated(false)-before, uint64(300<<20))
}

func TestRowsThatAreBeingSentAreChargedUntilTheirMemoryIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rows = 60_000
		var p *rxcql.Pipeline
		var inFlight []int64
		server := sink.Server(func(context.Context, sink.Sent) error {
			time.Sleep(time.Millisecond)
			inFlight = append(inFlight, p.Progress().BytesInFlight)
			return nil
		})
		p, err := rxcql.New(inTurn(rows), sink.TableOn[event](server, events(), byToken(sink.InFlight(1))...), rxcql.WithBudget(32<<20))
		require.NoError(t, err)
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(inFlight), rows/100)
		for i, bytes := range inFlight[:len(inFlight)*9/10] {
			require.GreaterOrEqual(t, bytes, int64(rows*70), "request %d", i)
		}
		require.Zero(t, rep.BytesInFlight)
	})
}

func TestTheMemoryOfRowsIsFreedWhenNoneHaveComeForAWhile(t *testing.T) {
	const most = 100_000
	for name, of := range map[string]struct {
		opts []sink.TableOption
		end  func(rows, requests int64) bool // no more rows come
	}{
		"of too few to be sent":               {nil, func(rows, _ int64) bool { return rows == 30_000 }},
		"of a few more than are sent at once": {nil, func(rows, requests int64) bool { return requests > 0 && rows%7000 == 0 }},
		"of as many as are sent at once":      {[]sink.TableOption{sink.BatchRows(1)}, func(_, requests int64) bool { return requests > 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int64
				server := sink.Server(func(context.Context, sink.Sent) error {
					requests.Add(1)
					time.Sleep(time.Millisecond)
					return nil
				})
				var kept uint64
				rows := source.Seq(func(yield func(event, error) bool) {
					before := allocated(true)
					for i := int64(0); i < most && !of.end(i, requests.Load()); i++ {
						if !yield(event{P: i, V: "0123456789012345678901234567890123456789"}, nil) {
							return
						}
					}
					time.Sleep(time.Minute)
					kept = max(allocated(true), before) - before // nothing waits
				}, source.PageRows(1))
				rep, err := run(t, rows, sink.TableOn[event](server, events(), byToken(append(of.opts, sink.InFlight(8))...)...), rxcql.WithBudget(32<<20))
				require.NoError(t, err)
				require.Less(t, rep.Written, int64(most))
				require.Less(t, kept, uint64(2<<20))
			})
		})
	}
}

// The rows of one page are in batches, and gone, when Write returns: nothing waits then.
func TestTheMemoryOfRowsOfOnePageIsFreedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const small = 3500
		var kept uint64
		rows := source.Seq(func(yield func(event, error) bool) {
			before := allocated(true)
			for i := range int64(small) {
				if !yield(event{P: i, V: "0123456789012345678901234567890123456789"}, nil) {
					return
				}
			}
			if yield(event{P: small, V: strings.Repeat("x", 700<<10)}, nil) { // which fills the page
				time.Sleep(time.Minute)
				kept = max(allocated(true), before) - before
			}
		}, source.PageRows(small+1))
		rep, err := run(t, rows, sink.TableOn[event](sink.Server(after(time.Millisecond)), events(), byToken(sink.BatchRows(1))...), rxcql.WithBudget(2<<20))
		require.NoError(t, err)
		require.EqualValues(t, small+1, rep.Written)
		require.Less(t, kept, uint64((700+375)<<10), "the source still has the large row")
	})
}

func TestRowsThatAreLargeAgainstTheBudgetKeepToItsBound(t *testing.T) {
	for _, budget := range []int64{rxcql.MinBudgetPerInput, 1 << 20} {
		for _, large := range []int{14 << 10, 64 << 10, 200 << 10, 300 << 10, 1 << 20, 4 << 20} {
			synctest.Test(t, func(t *testing.T) {
				rows := scattered(4000, 1)
				for i := range rows {
					if i%500 == 77 {
						rows[i].V = strings.Repeat("x", large)
					}
				}
				rep, err := run(t, sequence(rows...), sink.TableOn[event](sink.Server(after(time.Millisecond)), events(), byToken()...), rxcql.WithBudget(budget))
				require.NoError(t, err)
				require.EqualValues(t, 4000, rep.Written)
				require.LessOrEqual(t, rep.PeakBytes, budget+int64(rep.PeakFetches)*rep.LargestPage, "budget %d, rows of %d", budget, large)
			})
		}
	}
}

func TestAPanicOfAServersClientLeavesNothingCharged(t *testing.T) {
	for name, opts := range map[string][]sink.TableOption{"a table": nil, "sorted": byToken()} {
		panics := sink.Server(func(context.Context, sink.Sent) error { panic("of a hook") })
		rep, err := run(t, inTurn(20_000), sink.TableOn[event](panics, events(), opts...))
		require.ErrorIs(t, err, rxcql.ErrPanic, name)
		require.Zero(t, rep.BytesInFlight, name)
		require.Zero(t, rep.PagesSettled, name)
	}
}
