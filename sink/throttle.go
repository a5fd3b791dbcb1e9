package sink

import (
	"fmt"

	"github.com/rxcql/rxcql"
)

type throttle struct{ rate *rxcql.Rate }

// Throttle holds requests that write back to the limit of requests a second of rate. Each attempt
// counts, and so does each half of a batch that was refused. A request waits for its turn when it
// has its place among those in flight, and before its hooks are called. Several sinks, sources and
// runs may share a Rate, which can be changed while they run.
//
// A request that waits when the run is cancelled is not sent. After Pipeline.Stop none waits.
func Throttle(rate *rxcql.Rate) WriteOption { return throttle{rate} }

func (t throttle) set(to **rxcql.Rate) error {
	if err := t.rate.LimitsRequests(); err != nil {
		return fmt.Errorf("Throttle: %w", err)
	}
	*to = t.rate
	return nil
}

func (t throttle) applyTable(c *tableConfig) error { return t.set(&c.rate) }
func (t throttle) applyExec(c *execConfig) error   { return t.set(&c.rate) }
