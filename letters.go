package rxcql

import (
	"context"
	"time"
)

// DeadLetters is where rows that failed are kept; see package deadletter. It is
// a description, and may be used by many runs. One that implements Configured has
// New report what is wrong with it.
type DeadLetters interface {
	// Check tells what is wrong, as far as that can be seen without changing
	// anything.
	Check(ctx context.Context) error
	// Open starts the store for one run, before anything is read. ctx lives as
	// long as writes may: it is cancelled a grace period after the run's own.
	// RunOf gives the run: a store that is a file asks it whether that is read
	// (Run.Reads).
	Open(ctx context.Context) (LetterWriter, error)
}

// LetterWriter is a store of dead letters in one run. Its methods are called by
// one goroutine at a time.
type LetterWriter interface {
	// Write returns nil when all of the letters are durable. After an error,
	// which ends the run, some of them may be.
	Write(ctx context.Context, letters []Letter) error
	// Close is called once.
	Close() error
}

// Letter is a row that failed and what is known of it. Values of the row are in
// Row, and elsewhere only where a function of the user's put one into the text
// of its error.
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
