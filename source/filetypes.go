package source

import (
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

// Types lets a file be read as rxcql.Row, as TypesOf does, with these columns in place of those of
// a table. Names are those in the file. A file of CSV without a header has the columns in this
// order.
func Types(columns ...rxcql.Column) interface {
	NDJSONOption
	CSVOption
} {
	t := &typesOf{given: &schema.Table{}}
	for _, c := range columns {
		t.given.Columns = append(t.given.Columns, schema.Column{Name: c.Name, Type: c.Type})
		if c.Name == "" || c.Type == nil {
			t.err = errors.New("Types: a column has no name or no type")
		}
	}
	switch err := codec.Distinct(columns); {
	case len(columns) == 0:
		t.err = errors.New("Types(): name at least one column")
	case err != nil && t.err == nil:
		t.err = fmt.Errorf("Types: %w", err)
	}
	return t
}

// owner names what has the columns that files may have.
func owner(about *schema.Table) string {
	if about.Name == "" {
		return "Types"
	}
	return "table " + about.Quoted()
}
