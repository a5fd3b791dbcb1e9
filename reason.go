package rxcql

import (
	"errors"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
)

// FailedRow is a row that a stage could not deal with.
type FailedRow struct {
	flow.Position       // of the page in which it came into the stage
	Index         int   // of the row in Page.Rows as it came; -1 if it is not known
	Row           any   // as it came into the stage; needed for a dead letter (see Stage.WantsFailedRows), and with Users
	Err           error // its text holds no values of the row, unless Users is set
	Users         bool  // Err is what a function of the user's returned, in words of the user's
}

// error names the row by its place.
func (f *FailedRow) error() error {
	return &RowError{Range: f.Part(), Page: f.Page, Row: f.Index, Err: f.Err}
}

// rowsOwn reports whether an error is due to its row, rather than one that any row would meet.
func rowsOwn(err error) bool {
	return !errors.Is(err, ErrPanic) && !errors.Is(err, ErrSchema) && !errors.Is(err, ErrConfig) && !flow.IsEnd(err) &&
		!driver.Infrastructure(err)
}

// reason returns why a row failed, for reports and logs, in one short line; and the place, such as
// a line of a file, if the error itself has one. Errors of the toolkit hold no values. An error
// that a function of the user's returned may hold any: quoted text, words with a digit and words of
// the row are left out of it.
func (f *FailedRow) reason() (text, place string, said *saying) {
	if f.Users {
		said = say(f.Err, f.Row)
		return said.shown, "", said
	}
	err := f.Err
	if placed, ok := err.(interface { // not errors.As: the place counts only if the error begins with it
		Place() string
		Unwrap() error
	}); ok {
		err, place = placed.Unwrap(), placed.Place()
	}
	return short(textOf(err), longestReason), place, nil
}
