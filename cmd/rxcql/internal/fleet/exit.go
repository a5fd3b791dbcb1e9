package fleet

import (
	"errors"

	"github.com/rxcql/rxcql"
)

// Exit codes of the command. The help has them too.
const (
	ExitDone    = 0 // every row is accounted for
	ExitFailed  = 1 // a table failed, or would be refused in a dry run, or nobody has the report
	ExitUsage   = 2 // wrong arguments, no table of that name to read, or no connection: nothing was read or written
	ExitLeft    = 3 // nothing failed, but not every row is where it should be
	ExitStopped = 4 // a signal ended the run in order; with --checkpoint it goes on
	ExitFault   = 5 // rxcql itself has failed: a panic
)

// Exit returns the exit code of a run.
func Exit(outcomes []Outcome) int {
	seen, fault := map[Status]bool{}, false
	for _, o := range outcomes {
		seen[o.Status] = true
		fault = fault || errors.Is(o.err, rxcql.ErrPanic)
	}
	switch {
	case fault:
		return ExitFault
	case seen[Failed]:
		return ExitFailed
	case seen[Stopped] || seen[NotBegun]:
		return ExitStopped
	case seen[Left]:
		return ExitLeft
	}
	return ExitDone
}
