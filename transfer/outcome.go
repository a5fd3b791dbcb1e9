package transfer

import (
	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

// Result says what became of a difference that Repair was given.
type Result string

// The results.
const (
	// Repaired: it was written, and read back as the source has it.
	Repaired Result = "repaired"
	// AlreadyEqual: there was no difference any more. An earlier run of the repair may have written
	// it, before it was interrupted.
	AlreadyEqual Result = "equal"
	// Left: it was left as it is, for the cause that the outcome has: Newer on the target, a Tie
	// without Bump, or Extra without DeleteExtra.
	Left Result = "left"
	// Shadowed: it was written at the source's time, and cannot be read: the target has a deletion
	// that is newer. It is not repaired.
	Shadowed Result = "shadowed"
	// Remaining: it was deleted at the latest time that could be read, and is still there: the row
	// itself, or something in it, is newer.
	Remaining Result = "remaining"
	// Moving: both sides differ in another way than when it was written. It is being written.
	Moving Result = "moving"
	// Unreadable: the servers could not read it.
	Unreadable Result = "unread"
)

// results are all results, in the order of reports.
var results = []Result{Repaired, AlreadyEqual, Left, Shadowed, Remaining, Moving, Unreadable}

// Outcome is one line of what a Repair did.
type Outcome struct {
	Result Result `json:"result"`
	// Difference is what was still different when it was read back. Its Cause is that of the
	// difference before, where it is Repaired.
	Difference
}

// Outcomes reads what became of each difference, from the folder that Repair was given. The Repair
// must have ended; else the file is not there.
func Outcomes(folder string) rxcql.Stream[Outcome] {
	return source.NDJSON[Outcome](inFolder(folder).outcomes())
}
