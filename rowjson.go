package rxcql

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/jsonline"
)

// rowJSON is a Row as JSON.
type rowJSON struct {
	Columns *[]columnJSON `json:"columns"`
}

type columnJSON struct {
	Name  string  `json:"name"`
	Type  string  `json:"type"`            // in CQL
	Class string  `json:"class,omitempty"` // the server's class, where the CQL name alone does not tell the type
	Value *[]byte `json:"value"`           // base64 of the bytes; null for null
}

// MarshalJSON writes the row so that UnmarshalJSON gives it back byte for byte. It has the columns
// in order, each with its name, its CQL type and its value, which is null or the bytes received, in
// base64. A zero Row is null.
func (r Row) MarshalJSON() ([]byte, error) {
	if r.cols == nil {
		return []byte("null"), nil
	}
	columns := make([]columnJSON, len(r.cells))
	for i, c := range r.cols.list {
		if c.Type == nil {
			return nil, fmt.Errorf("rxcql: column %q has no type", c.Name)
		}
		columns[i] = columnJSON{Name: c.Name, Type: c.Type.String()}
		if _, err := codec.Parse(columns[i].Type, nil); err != nil { // a user-defined type
			columns[i].Class = c.Type.Class()
		}
		if r.cells[i] != nil {
			columns[i].Value = &r.cells[i]
		}
	}
	return json.Marshal(rowJSON{&columns})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Row) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*r = Row{}
		return nil
	}
	var in rowJSON
	if err := jsonline.Read(data, &in, true); err != nil {
		return fmt.Errorf("rxcql: not a Row in JSON: %w", err)
	}
	if in.Columns == nil {
		return errors.New("rxcql: not a Row in JSON: it has no columns")
	}
	cols, cells := make([]Column, len(*in.Columns)), make([][]byte, len(*in.Columns))
	for i, c := range *in.Columns {
		t, err := codec.Parse(c.Type, nil)
		if c.Class != "" {
			t, err = codec.ParseClass(c.Class)
		}
		if err != nil {
			return fmt.Errorf("rxcql: not a Row in JSON: column %q: %w", c.Name, err)
		}
		cols[i] = Column{Name: c.Name, Type: t}
		if c.Value != nil {
			cells[i] = *c.Value
		}
	}
	if err := codec.Distinct(cols); err != nil {
		return fmt.Errorf("rxcql: not a Row in JSON: %w", err)
	}
	*r = NewRow(NewColumns(cols), cells)
	return nil
}
