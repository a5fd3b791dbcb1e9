package transfer

// DiffOption is an option of Diff.
type DiffOption interface{ applyDiff(*diffConfig) error }

// diffConfig has the options of Diff.
type diffConfig struct {
	config
}
