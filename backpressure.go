package rxcql

// Limits of the budget of bytes in flight; see flow.Budget, which keeps it.
const (
	// DefaultBudget is the budget of a run unless WithBudget says otherwise.
	DefaultBudget int64 = 64 << 20
	// MinBudgetPerInput is the least budget for each source of a pipeline: one
	// page of reserved credit.
	MinBudgetPerInput int64 = 64 << 10
)

// WithBudget sets the bytes that may be in flight, over all stages; see flow.Budget.
// Default 64 MiB, at least 64 KiB for each source of the pipeline.
func WithBudget(bytes int64) Option {
	return func(c *config) error {
		c.budget = bytes
		return nil
	}
}
