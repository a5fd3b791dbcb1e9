package source

import "fmt"

// lineError names the line of a file that an error is of. A report tells rows that
// failed apart by their reasons, and takes the place from there.
type lineError struct {
	path string
	line int64
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("%s: %v", e.Place(), e.err) }

func (e *lineError) Unwrap() error { return e.err }

// Place is where the line is; see rxcql.RowErrorReport.
func (e *lineError) Place() string { return fmt.Sprintf("%s, line %d", e.path, e.line) }
