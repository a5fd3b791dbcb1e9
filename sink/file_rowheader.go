package sink

import (
	"fmt"

	"github.com/rxcql/rxcql"
)

// rowHeader is what the columns of undecoded rows say. It is computed once for all rows that share
// their columns.
type rowHeader struct {
	cols  *rxcql.Columns
	list  []rxcql.Column
	names []string
}

// of looks at the columns of a row. changed reports whether they are others than those of the row
// before.
func (h *rowHeader) of(row *rxcql.Row) (changed bool, err error) {
	cols := row.Columns()
	if cols == h.cols && cols != nil {
		return false, nil
	}
	if cols == nil || len(cols.List()) == 0 {
		return false, fmt.Errorf("%w: the row has no columns", rxcql.ErrSchema)
	}
	var names []string
	for _, col := range cols.List() {
		names = append(names, col.Name)
	}
	h.cols, h.list, h.names = cols, cols.List(), names
	return true, nil
}

func columnError(col rxcql.Column, err error) error {
	return fmt.Errorf("column %q (%s): %w", col.Name, col.Type, err)
}
