// Package fleet runs the jobs of several tables as one run of the command: in turns or side by
// side, with one report, one way to stop, and one exit code. A table that fails does not stop the
// others unless that is asked for.
package fleet

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
	"github.com/rxcql/rxcql/transfer"
)

// Job is the job of one table, of any verb.
type Job interface {
	Plan(ctx context.Context) (transfer.Plan, error)
	Run(ctx context.Context) (Result, error)
	Stop()
	Progress() rxcql.Report
}

// Result is what a run of a job came to, as far as it came.
type Result struct {
	// Complete: everything was read, and each row that was read is accounted for, or counted in
	// Left.
	Complete bool
	// Left says in words what is not as it should be although nothing failed: rows in a file of bad
	// records, differences, ranges that could not be read.
	Left []string
	// Rows read and written, and requests that were repeated.
	Read, Written, Retried int64
	// Begun: the run has begun to read. It was not refused before. Resumed: it went on with something
	// that an earlier run had done.
	Begun, Resumed bool
	// Earlier: an earlier run had done the job, and this one did nothing.
	Earlier bool
	// Report is the report of the verb, for JSON.
	Report any
	// Text is that report for people.
	Text string
}

// Task is a job and its place in the run.
type Task struct {
	Table string // for people
	Name  string // of the job: all that it does
	Job   Job
	// Kept is where the outcome is kept once the job is complete, so that a run that goes on does not
	// begin the table anew; nil for nowhere.
	Kept *kept.Place
	// FromEmpty: the job cannot go on. It begins anew, with a target that is empty.
	FromEmpty bool

	complete bool // and its outcome is kept
}
