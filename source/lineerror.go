package source

import "fmt"

// lineError adds the line of a file to an error. A report distinguishes rows that failed by the
// reason inside, and takes the place from here.
type lineError struct {
	path string
	line int64
	err  error

	columns []string // of a record of CSV
}

func (e *lineError) Error() string { return fmt.Sprintf("%s: %v", e.Place(), e.err) }

func (e *lineError) Unwrap() error { return e.err }

// RecordColumns are the columns of the record, for its dead letter: rxcql.Letter has them.
func (e *lineError) RecordColumns() []string { return e.columns }

// Place names the file and the line; see rxcql.RowErrorReport.
func (e *lineError) Place() string { return fmt.Sprintf("%s, line %d", e.path, e.line) }
