package sink

import "slices"

// lines makes the text of rows, in one run.
type lines[T any] interface {
	// goOn is called before the first row when a job goes on, with the columns that its files have.
	goOn(columns []string) error
	// row adds the text of a row. After an error, what it added does not count.
	row(dst []byte, row *T) ([]byte, error)
	// columns returns the columns that a file names; nil if it names none, or none are known yet.
	columns() []string
	// frame returns what a file has around its rows. It may be known only after the first row.
	frame() frame
}

// frame is what a file has around its rows.
type frame struct {
	head    string // before the first row
	between string // two rows
	end     string // after the last row
	empty   string // the whole file if there is no row
}

// addRow adds a row to the text of a file that has rows already, or not. After an error dst is as
// it was.
func addRow[T any](l lines[T], dst []byte, between string, hasRows bool, row *T) ([]byte, error) {
	start := len(dst)
	if hasRows {
		dst = append(dst, between...)
	}
	dst, err := l.row(dst, row)
	if err != nil {
		return dst[:start], err
	}
	if !hasRows {
		dst = slices.Insert(dst, start, []byte(l.frame().head)...)
	}
	return dst, nil
}
