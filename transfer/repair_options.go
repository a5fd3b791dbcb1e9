package transfer

import "github.com/rxcql/rxcql/sink"

// RepairOption is an option of Repair.
type RepairOption interface{ applyRepair(*repairConfig) error }

// repairConfig has the options of Repair.
type repairConfig struct {
	config
	compareConfig
	bump        bool
	deleteExtra bool
	lossy       bool

	timesOptions []sink.TimesOption
}

type repairOption func(*repairConfig) error

func (o repairOption) applyRepair(c *repairConfig) error { return o(c) }

// Bump settles ties in favour of the source: its value is written one microsecond later than both
// were. That is the only time of a Repair that the source does not have. Default: ties stay.
func Bump() RepairOption {
	return repairOption(func(c *repairConfig) error {
		c.bump = true
		return nil
	})
}

// DeleteExtra deletes what only the target has: rows, values, and elements of collections. It does
// so at the write time that it reads on the target, so that what is written to the target later
// stays. Default: nothing is deleted, since what is extra may have been written to the target on
// purpose.
//
// Both sides may be written to meanwhile. The source is read once more right before each deletion,
// and what it has by then stays. So does what was written to the target after it was read for the
// first time: it may be on its way to the source. The outcome of such a row says what is there at
// the end. What writers write at times in the past, without writing it to the source first, cannot
// be told from what is extra.
//
// The write time of a row of keys alone cannot be read, and neither can that of the row itself; so
// such a row stays, and its outcome is Remaining.
func DeleteExtra() RepairOption {
	return repairOption(func(c *repairConfig) error {
		c.deleteExtra = true
		return nil
	})
}
