package pace

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/rxcql/rxcql"
)

// Governor holds a run back so that the 99th percentile of the servers' answer times stays below a
// maximum. It changes the limit of rows of the run's Rate, once for each window of requests:
//
//   - Above the maximum, the limit becomes three quarters of what it was. The first limit is three
//     quarters of what is being read.
//   - Below nine tenths of it, the limit grows by a tenth for each 500 ms of the window.
//
// In between it stays. The limit never exceeds what the user gave, and grows to no more than twice
// what is being read: a run that is slow for other reasons must not earn a limit that means
// nothing. It is never below 200 rows a second, because without requests nothing would show that
// the servers answer again.
//
// A window is 500 ms long, or longer until it has 100 requests: of fewer, the 99th percentile is
// their maximum. After 5 s any number will do, so that a run of few large requests is governed too.
type Governor struct {
	most time.Duration
	rate *rxcql.Rate
	cap  float64 // the user's limit, rxcql.Unlimited for none
	now  func() time.Time

	mu    sync.Mutex
	seen  times
	rows  int64
	since time.Time
	past  []windowRows // the last few windows
	limit float64
	last  time.Duration // the percentile of the last window
}

// windowRows is what was read in a window. Pages may be large, so a window alone says little of how
// fast rows are read.
type windowRows struct {
	rows int64
	long time.Duration
}

const (
	window       = 500 * time.Millisecond
	longWindow   = 5 * time.Second
	fullRequests = 100
	leastRows    = 200 // a second
	pastWindows  = 8
	growth       = 1.1
	mostGrowth   = 20 // windows' worth at once
)

// NewGovernor makes a Governor that keeps a run below an answer time, by a Rate that has a limit of
// rows.
func NewGovernor(most time.Duration, l Limit, rate *rxcql.Rate) *Governor {
	g := &Governor{most: most, rate: rate, cap: l.Rows, now: time.Now}
	if g.cap == 0 {
		g.cap = rxcql.Unlimited
	}
	g.limit = g.cap
	return g
}

// Hooks are to be given to each pipeline of the run. Requests that a cancel ended say nothing about
// the servers, and are left out; those that timed out count as long as they took.
func (g *Governor) Hooks() rxcql.Hooks {
	return rxcql.Hooks{
		FetchEnd: func(_ context.Context, e rxcql.FetchEvent) { g.took(e.Duration, e.ErrorType) },
		WriteEnd: func(_ context.Context, e rxcql.WriteEvent) { g.took(e.Duration, e.ErrorType) },
		PageRead: func(_ context.Context, e rxcql.PageEvent) {
			g.mu.Lock()
			g.rows += int64(e.Rows)
			g.mu.Unlock()
		},
	}
}

// P99 returns the 99th percentile of the last window, and the limit of rows a second that is in
// force; 0 if there is none.
func (g *Governor) P99() (time.Duration, float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limit == rxcql.Unlimited {
		return g.last, 0
	}
	return g.last, g.limit
}

func (g *Governor) took(d time.Duration, errorType string) {
	if errorType == "cancelled" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if g.since.IsZero() {
		g.since = now
	}
	g.seen.add(d)
	long := now.Sub(g.since)
	if long < window || g.seen.n < fullRequests && long < longWindow {
		return
	}
	g.last = g.seen.percentile(0.99)
	g.past = append(g.past, windowRows{g.rows, long})
	if len(g.past) > pastWindows {
		g.past = g.past[1:]
	}
	g.adjust(g.read(), long)
	g.seen, g.rows, g.since = times{}, 0, now
}

// read returns how many rows a second have been read lately.
func (g *Governor) read() float64 {
	var sum windowRows
	for _, w := range g.past {
		sum.rows, sum.long = sum.rows+w.rows, sum.long+w.long
	}
	return float64(sum.rows) / sum.long.Seconds()
}

// adjust sets the limit for the next window. read is how many rows a second are read now, long how
// long the window was.
func (g *Governor) adjust(read float64, long time.Duration) {
	was := g.limit
	switch {
	case read == 0: // nothing to go by
	case g.last > g.most:
		g.limit = min(g.limit, 2*read) * 3 / 4
		if was == rxcql.Unlimited {
			g.limit = read * 3 / 4
		}
	case g.last < g.most*9/10 && g.limit < g.cap:
		grown := g.limit * math.Pow(growth, min(long.Seconds()/window.Seconds(), mostGrowth))
		g.limit = min(grown, max(2*read, was))
	}
	g.limit = min(max(g.limit, leastRows), g.cap)
	if g.limit != was {
		_ = g.rate.SetRowsPerSecond(g.limit) // it has such a limit, and the number is not negative
	}
}
