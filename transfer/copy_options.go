package transfer

// CopyOption is an option of Copy.
type CopyOption interface{ applyCopy(*copyConfig) error }

// copyConfig has the options of Copy.
type copyConfig struct {
	config
}
