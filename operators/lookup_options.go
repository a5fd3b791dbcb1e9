package operators

import (
	"fmt"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
)

// DefaultLookupInFlight is how many look-ups are in flight at once.
const DefaultLookupInFlight = 256

// LookupOption is an option of Lookup.
type LookupOption interface{ applyLookup(*lookupConfig) error }

type lookupConfig struct {
	inFlight    int
	unordered   bool
	consistency *gocql.Consistency
	all         int // the most bytes of all rows; 0 for one row
	cacheBytes  int64
	cacheTTL    time.Duration
	rate        *rxcql.Rate // nil for no limit
}

func (unordered) applyLookup(c *lookupConfig) error {
	c.unordered = true
	return nil
}

type lookupInFlight int

// LookupInFlight sets how many look-ups are in flight at once, from 1 to 1,048,576. Default 256
// (DefaultLookupInFlight). A connection carries 32,768 requests at once.
func LookupInFlight(n int) LookupOption { return lookupInFlight(n) }

func (n lookupInFlight) applyLookup(c *lookupConfig) error {
	if n < 1 || n > mostCalls {
		return fmt.Errorf("LookupInFlight(%d): must be from 1 to %d", int(n), mostCalls)
	}
	c.inFlight = int(n)
	return nil
}

type lookupConsistency gocql.Consistency

// LookupConsistency sets the consistency of the look-ups. Default: the session's.
func LookupConsistency(c gocql.Consistency) LookupOption { return lookupConsistency(c) }

func (o lookupConsistency) applyLookup(c *lookupConfig) error {
	level := gocql.Consistency(o)
	if level > gocql.LocalOne {
		return fmt.Errorf("LookupConsistency(%d): no such level", uint16(level))
	}
	c.consistency = &level
	return nil
}

type lookupAll int

// LookupAll takes all rows that the statement finds for a row (Found.Rows), such as those of a
// small partition. They are read page by page. If they take more than most bytes, that is an error
// of the row. It may be found out a page late, so for each look-up in flight there are up to most
// bytes and a page in memory. Default: one row at most.
func LookupAll(most int) LookupOption { return lookupAll(most) }

func (most lookupAll) applyLookup(c *lookupConfig) error {
	if most < 1 {
		return fmt.Errorf("LookupAll(%d): must be at least 1 byte", int(most))
	}
	c.all = int(most)
	return nil
}

type lookupCache struct {
	most int64
	ttl  time.Duration
}

// LookupCache keeps what was found, for ttl after that, in up to most bytes; what was used longest
// ago goes first. Nothing found is kept too; failures are not, and neither is what alone has more
// bytes. Each run begins with an empty cache, also one that goes on with a job. The cache comes on
// top of the budget (rxcql.WithBudget). Default: none.
//
// Within ttl a row may be joined with what the table no longer holds.
func LookupCache(most int64, ttl time.Duration) LookupOption { return lookupCache{most, ttl} }

func (o lookupCache) applyLookup(c *lookupConfig) error {
	if o.most < 1 || o.ttl <= 0 {
		return fmt.Errorf("LookupCache(%d, %v): it needs bytes and a time above 0; leave the option out for no cache", o.most, o.ttl)
	}
	c.cacheBytes, c.cacheTTL = o.most, o.ttl
	return nil
}

type lookupThrottle struct{ rate *rxcql.Rate }

// LookupThrottle holds look-ups back to the limit of requests a second of rate. Each request
// counts: each attempt of a retry, and each page of LookupAll. Rows that share a look-up with
// others, and what LookupCache knows, cost none. A request waits for its turn when it has its place
// among those in flight, and before its hooks are called. Several look-ups, sources, sinks and runs
// may share a Rate, which can be changed while they run. Default: no limit.
//
// A wait ends at once with a cancel. After Pipeline.Stop none waits: rows that have been read are
// looked up and written.
func LookupThrottle(rate *rxcql.Rate) LookupOption { return lookupThrottle{rate} }

func (t lookupThrottle) applyLookup(c *lookupConfig) error {
	if err := t.rate.LimitsRequests(); err != nil {
		return fmt.Errorf("LookupThrottle: %w", err)
	}
	c.rate = t.rate
	return nil
}
