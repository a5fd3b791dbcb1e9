package source

import (
	"fmt"

	"github.com/rxcql/rxcql"
)

type throttle struct{ rate *rxcql.Rate }

// Throttle holds requests for pages back to the limit of requests a second of rate. Each attempt
// counts. A request waits for its turn before its hooks are called. Several sources, sinks and runs
// may share a Rate, which can be changed while they run. To limit rows or bytes use
// operators.Throttle.
func Throttle(rate *rxcql.Rate) ReadOption { return throttle{rate} }

func (t throttle) set(c *readConfig) error {
	if err := t.rate.LimitsRequests(); err != nil {
		return fmt.Errorf("Throttle: %w", err)
	}
	c.rate = t.rate
	return nil
}

func (t throttle) applyQuery(c *readConfig) error { return t.set(c) }
func (t throttle) applyTable(c *readConfig) error { return t.set(c) }

// applyPair throttles the requests to both tables together.
func (t throttle) applyPair(c *pairConfig) error {
	if err := t.set(&c.left); err != nil {
		return err
	}
	return t.set(&c.right)
}
