package rxcql

// Limits of the budget, which bounds the bytes in flight; see flow.Budget.
const (
	// DefaultBudget is the budget of a run unless WithBudget says otherwise.
	DefaultBudget int64 = 64 << 20
	// MinBudgetPerInput is the least budget for each source of a pipeline: its credit for a page,
	// which no other source can use.
	MinBudgetPerInput int64 = 64 << 10
)

// WithBudget sets how many bytes may be in flight, over all stages; see flow.Budget. Default 64
// MiB, at least 64 KiB for each source of the pipeline. What operators must hold at the same time,
// such as two batches before operators.Zip, needs room in it together; otherwise the run fails with
// flow.BudgetHeldError.
func WithBudget(bytes int64) Option {
	return func(c *config) error {
		c.budget = bytes
		return nil
	}
}
