package transfer

// RepairOption is an option of Repair.
type RepairOption interface{ applyRepair(*repairConfig) error }

// repairConfig has the options of Repair.
type repairConfig struct {
	config
}
