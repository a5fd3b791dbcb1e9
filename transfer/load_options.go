package transfer

// LoadOption is an option of Load.
type LoadOption interface{ applyLoad(*loadConfig) error }

// loadConfig has the options of Load.
type loadConfig struct {
	config
}
