package transfer

// CountOption is an option of Count.
type CountOption interface{ applyCount(*countConfig) error }

// countConfig has the options of Count.
type countConfig struct {
	config
}
