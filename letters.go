package rxcql

import (
	"context"
	"time"
)

// DeadLetterStore is where rows that failed are kept; see package deadletter for ours. It
// is a description, and may be used by many runs: each adds its letters to those that
// are there. One that implements ConfigChecker has New report what is wrong with it.
//
// You can write your own. It must keep the rules that are stated here and at
// DeadLetterWriter: rxcqltest.TestDeadLetters tries them on it.
//
// Letters come back as they were written, each once, and those of one run (Letter.Run)
// in the order of their numbers (Letter.N): later rows of a key are loaded again later.
// Two runs that write at once lose nothing: both are kept, or Open refuses the second.
// No error shows anything of a row.
type DeadLetterStore interface {
	// Check reports what is wrong, as far as that can be seen without changing
	// anything. It may be called at any time, also while a run writes.
	Check(ctx context.Context) error
	// Open starts the store for one run, before anything is read. ctx lives as
	// long as writes may: it is cancelled a grace period after the run's own.
	// ExecutionFromContext gives the run: a store that is a file asks it whether that is read
	// (Execution.ReadsFile). An Open that fails keeps no later run out.
	Open(ctx context.Context) (DeadLetterWriter, error)
}

// DeadLetterWriter is a store of dead letters in one run. Its methods are called by one
// goroutine at a time, which may be another one than has called Open.
type DeadLetterWriter interface {
	// Write returns nil when all of the letters are durable, and only then: the pages
	// of their rows are settled with that, and a later run does not come back to them.
	// After an error, which ends the run, some of the letters may be kept; those of
	// earlier calls are. At most 2,048 letters come at once; their rows may have 1 MB and
	// more. The slice is the caller's again when Write returns.
	Write(ctx context.Context, letters []Letter) error
	// Close is called once, also after an error of Write, and leaves no goroutine
	// behind. After it another run can open the store.
	Close() error
}

// Letter is a row that failed and what is known of it. Values of the row are in
// Row, and elsewhere only where a function of the user's put one into the text
// of its error. All text is UTF-8.
type Letter struct {
	Run   string    // names the run
	N     int64     // counts the letters of the run from 1
	Time  time.Time // UTC, whole milliseconds
	Stage string    // where the row failed, as in the report
	Error string    // why, without the place
	Range string    // the part of the source; "mixed" where rows of several are
	Page  int64     // of that part, as it came into the stage
	Index int       // of the row in that page; -1 if it is not known
	Type  string    // the Go type of the row, such as main.Flight
	Row   []byte    // as it came into the stage, as JSON (for a Row see Row.MarshalJSON)
}
