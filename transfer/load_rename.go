package transfer

import (
	"sync"

	"github.com/rxcql/rxcql"
)

// columnsCache keeps the renamed columns of rows that share theirs. Files that are read at once use
// one each, so there are few.
type columnsCache struct{ made sync.Map } // *rxcql.Columns to *rxcql.Columns

func (c *columnsCache) of(cols *rxcql.Columns, names map[string]string) *rxcql.Columns {
	if made, known := c.made.Load(cols); known {
		return made.(*rxcql.Columns) //nolint:forcetypeassert // it is all that is put in
	}
	var list []rxcql.Column
	for _, col := range cols.List() {
		if to := names[col.Name]; to != "" {
			col.Name = to
		} else {
			col.Name = notLoaded + col.Name
		}
		list = append(list, col)
	}
	made, _ := c.made.LoadOrStore(cols, rxcql.NewColumns(list))
	return made.(*rxcql.Columns) //nolint:forcetypeassert // it is all that is put in
}

// notLoaded begins the name of a column that is not written. No column of a table is named so.
const notLoaded = "\x00"
