package operators_test

import (
	"time"

	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// growByTime is growBy for operators that go by time, or by how busy downstream is. Of those that
// drop rows no model says which.
func (c *chain) growByTime(rt *rapid.T, verb string, k int, fail func() error) {
	d := time.Duration(k+1) * 10 * time.Microsecond
	switch verb {
	case "Throttle":
		c.then("Throttle")
		c.s = operators.Throttle(c.s, rxcql.NewRate(rxcql.RowsPerSecond(float64(k+1)*50_000), rxcql.BytesPerSecond(1e6), rxcql.RateBurst(d)))
	case "Buffer":
		c.then("Buffer")
		c.s = operators.Buffer(c.s, k+1, rxcql.OverflowBlock)
	case "Buffer, dropping":
		c.then("Buffer")
		policy := rapid.SampledFrom([]rxcql.Overflow{rxcql.OverflowDropOldest, rxcql.OverflowDropNewest, rxcql.OverflowLatest}).Draw(rt, "policy")
		c.s, c.exact = operators.Buffer(c.s, k+1, policy), false
	case "Timeout":
		c.then("Timeout")
		c.s = operators.Timeout(c.s, time.Hour)
	case "Sample":
		c.then("Sample")
		c.s, c.exact = operators.Sample(c.s, d), false
	case "Debounce":
		c.then("Debounce")
		c.s, c.exact = operators.Debounce(c.s, d), false
	case "Conflate":
		c.then("Conflate")
		c.s, c.exact = operators.Conflate(c.s, zero, func(sum, n int) (int, error) { return sum + n, fail() }), false
	}
}
