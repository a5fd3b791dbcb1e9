package operators_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// askedAt are the times at which a server was asked for rows of a table.
type askedAt struct {
	mu sync.Mutex
	at []time.Time
}

// requestTimes notes from now on when the server is asked.
func requestTimes(server *cqlfake.Server, table string) *askedAt {
	a := &askedAt{}
	server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Reads(table) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.at = append(a.at, time.Now())
		}
		return nil
	})
	return a
}

func (a *askedAt) times() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.at)
}

// pace is how many requests came a second.
func (a *askedAt) pace() float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(a.at)
	return float64(n-1) / a.at[n-1].Sub(a.at[0]).Seconds()
}

func perSecond(n float64) *rxcql.Rate { return rxcql.NewRate(rxcql.RequestsPerSecond(n)) }

func TestLookupThrottleHoldsLookupsBack(t *testing.T) {
	for _, opts := range [][]operators.LookupOption{nil, {operators.Unordered()}, {operators.LookupInFlight(3)}} {
		inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
			asked := requestTimes(server, "shop.customers")
			got := collect(t, names(count(60, 7), session, append(opts, operators.LookupThrottle(perSecond(10)))...))
			require.ElementsMatch(t, wantNames(upTo(60)), got)
			require.Equal(t, 60, asked.times())
			require.InDelta(t, 10, asked.pace(), 0.4)
		})
	}
}

func TestEachAttemptAndEachPageOfALookupCountsForItsThrottle(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		asked := requestTimes(server, "shop.customers")
		for range 10 {
			server.ControlOnce(func(r *cqlfake.Request) *cqlfake.Reply {
				if r.Reads("shop.customers") {
					return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
				}
				return nil
			})
		}
		rows, rep := pagesOut(t, names(count(20, 7), session, operators.LookupThrottle(perSecond(1))))
		require.NotEmpty(t, rows)
		require.EqualValues(t, 20, rep.Written)
		require.EqualValues(t, 10, rep.Retried)
		require.Equal(t, 30, asked.times())
		require.InDelta(t, 1, asked.pace(), 0.05)
	})
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		server.Keyspace("big", "t (id int, n int, PRIMARY KEY (id, n))")
		for n := range 350 { // more than a first page has
			server.Exec(fmt.Sprintf("INSERT INTO big.t (id, n) VALUES (1, %d)", n))
		}
		asked := requestTimes(server, "big.t")
		s := operators.Lookup(from(1), session, "SELECT n FROM big.t WHERE id = ?", byID,
			func(_ int, found operators.Found[int]) (int, error) { return len(found.Rows), nil },
			operators.LookupAll(1<<20), operators.LookupThrottle(perSecond(0.5)))
		require.Equal(t, []int{350}, collect(t, s))
		require.Equal(t, 2, asked.times())
		require.InDelta(t, 0.5, asked.pace(), 0.05)
	})
}

func TestRowsThatShareALookupOrFindItInTheCacheDoNotWaitForItsThrottle(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		asked := requestTimes(server, "shop.customers")
		begun := time.Now()
		got := collect(t, names(from(repeated(3000, 5)...), session,
			operators.LookupThrottle(perSecond(1)), operators.LookupCache(1<<20, time.Hour)))
		require.Len(t, got, 3000)
		require.Equal(t, 5, asked.times())
		require.Less(t, time.Since(begun), 6*time.Second)
	})
}

func TestTheLimitOfALookupIsChangedWhileItWaitsAndSharedWithASource(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		asked := requestTimes(server, "shop.customers")
		limit := perSecond(0.001)
		probe := rxcqltest.Observe(t, names(count(50, 7), session, operators.LookupThrottle(limit)))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 1, asked.times())
		require.NoError(t, limit.SetRequestsPerSecond(rxcql.Unlimited))
		begun := time.Now()
		require.Equal(t, wantNames(upTo(50)), probe.Take(50))
		probe.ExpectComplete()
		require.Less(t, time.Since(begun), time.Second)
	})
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		all := requestTimes(server, "shop.customers")
		limit := perSecond(2)
		ids := source.Query[int](session, "SELECT id FROM shop.customers", source.PageRows(10), source.Throttle(limit))
		got := collect(t, names(ids, session, operators.LookupThrottle(limit)))
		require.Len(t, got, 66)
		require.GreaterOrEqual(t, all.times(), 66+6)
		require.Less(t, all.pace(), 2.1)
	})
}

func TestAWaitOfALookupForItsThrottleEndsWithTheRunAndNoRowIsBlamed(t *testing.T) {
	// Of the class of what fewer requests at once may prevent, and what is not the server's word.
	why := fmt.Errorf("why: %w", gocql.ErrTimeoutNoResponse)
	for how, c := range map[string]struct {
		in   func(p func() *rxcql.Pipeline) *rxcqltest.Script[int]
		rows int
		err  error
	}{
		"cancel":          {func(func() *rxcql.Pipeline) *rxcqltest.Script[int] { return pageOf(50).Delay(time.Hour) }, 1, why},
		"error of stream": {func(func() *rxcql.Pipeline) *rxcqltest.Script[int] { return pageOf(50).Delay(time.Second).Fail(why) }, 1, why},
		"Stop": {func(p func() *rxcql.Pipeline) *rxcqltest.Script[int] {
			return pageOf(50).Do(func(context.Context) error {
				p().Stop()
				return nil
			}).Page(99)
		}, 50, nil},
	} {
		inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
			asked := requestTimes(server, "shop.customers")
			var p *rxcql.Pipeline
			cut := false
			out := &gather[string]{}
			p, err := rxcql.New(names(c.in(func() *rxcql.Pipeline { return p }).Stream(), session, operators.LookupThrottle(perSecond(0.001))), out,
				rxcql.WithRowErrors(rxcql.SkipRows(1000)), rxcql.WithHooks(rxcql.Hooks{InFlightLimit: func(context.Context, rxcql.LimitEvent) { cut = true }}))
			require.NoError(t, err)
			ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Second, why)
			defer cancel()
			begun := time.Now()
			rep, err := p.Run(ctx)
			if c.err == nil {
				require.NoError(t, err, how)
				require.Equal(t, rep.Pages, rep.PagesSettled, how)
				require.Equal(t, wantNames(upTo(50)), out.rows(), how)
			} else {
				require.ErrorIs(t, err, why, how)
			}
			require.LessOrEqual(t, time.Since(begun), 2*time.Second, how)
			require.Equal(t, c.rows, asked.times(), how)
			require.Zero(t, rep.Skipped, "no row has failed: %s", how)
			require.Zero(t, rep.BytesInFlight, how)
			require.False(t, cut, "it is no word of the server: %s", how)
		})
	}
}

// pageOf is a script that begins with a page of so many rows.
func pageOf(n int) *rxcqltest.Script[int] { return rxcqltest.NewScript[int]().Page(upTo(n)...) }

func TestLookupThrottleNeedsALimitOfRequests(t *testing.T) {
	for text, limit := range map[string]*rxcql.Rate{
		"LookupThrottle: the Rate is nil":                      nil,
		"LookupThrottle: the Rate has no limit of requests":    rxcql.NewRate(rxcql.RowsPerSecond(1)),
		"LookupThrottle: RequestsPerSecond(-2): must be above": perSecond(-2),
	} {
		_, err := names(count(1, 1), nil, operators.LookupThrottle(limit)).Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, text)
	}
}
