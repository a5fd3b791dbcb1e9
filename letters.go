package rxcql

import (
	"context"
	"time"
)

// DeadLetterStore is where rows that failed are kept; package deadletter has a file and a table. A
// store is a description, and many runs may use it: each adds its letters to those that are there.
// A store that implements ConfigChecker has New report what is wrong with its options.
//
// You can write your own. It must keep the rules that are stated here and at DeadLetterWriter;
// rxcqltest.TestDeadLetters tests them:
//
//   - Letters come back as they were written, each once.
//   - Letters of one run (Letter.Run) come back in the order of their numbers (Letter.N), so later
//     rows of a key are loaded again later.
//   - When two runs write at once nothing is lost: the store keeps the letters of both, or Open
//     refuses the second.
//   - No error shows anything of a row.
type DeadLetterStore interface {
	// Check reports what is wrong, as far as that can be seen without changing anything. It may be
	// called at any time, also while a run writes.
	Check(ctx context.Context) error
	// Open starts the store for one run, before anything is read. ctx is cancelled a grace period
	// after the context of the run, so it lives as long as writes may. ExecutionFromContext(ctx) is
	// the run: a store that is a file asks it whether a source reads that file
	// (Execution.ReadsFile). An Open that fails must not keep later runs out.
	Open(ctx context.Context) (DeadLetterWriter, error)
}

// DeadLetterWriter is a store of dead letters in one run. Its methods are called by one goroutine
// at a time, though not always the one that called Open.
type DeadLetterWriter interface {
	// Write returns nil when all of the letters are durable, and only then: the pages of their rows
	// are settled with that, and a later run does not read them again. An error ends the run; some
	// of these letters may be kept, and those of earlier calls are. One call gets at most 2,048
	// letters, whose rows may be 1 MB and more each. The slice is the caller's again when Write
	// returns.
	Write(ctx context.Context, letters []Letter) error
	// Close is called once, also after an error of Write, and leaves no goroutine behind. After it
	// another run can open the store.
	Close() error
}

// Letter is a row that failed, and what is known of the failure. Values of the row are in Row, and
// in Error only if a function of yours put one into the text of its error. All text is UTF-8.
type Letter struct {
	Run   string    // names the run
	N     int64     // counts the letters of the run from 1
	Time  time.Time // UTC, whole milliseconds
	Stage string    // where the row failed, as in the report
	Error string    // why; of a line of a file, with its number
	Range string    // the part of the source; "mixed" where rows of several are
	Page  int64     // of that part, as it came into the stage
	Index int       // of the row in that page; -1 if it is not known
	Type  string    // the Go type of the row, such as main.Flight
	Row   []byte    // as it came into the stage, as JSON (for a Row see Row.MarshalJSON)

	// Columns are those of a record of CSV, in its order, as its file names them; nil for all other
	// rows. A store need not keep them; deadletter.NDJSON does.
	Columns []string
}
