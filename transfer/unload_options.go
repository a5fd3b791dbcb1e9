package transfer

// UnloadOption is an option of Unload.
type UnloadOption interface{ applyUnload(*unloadConfig) error }

// unloadConfig has the options of Unload.
type unloadConfig struct {
	config
}
