package source

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jsonline"
	"github.com/rxcql/rxcql/internal/lines"
	"github.com/rxcql/rxcql/internal/schema"
)

// jsonRows decodes lines of JSON into undecoded rows. Rows with the same names in the same order
// share their columns.
type jsonRows struct {
	ndjsonLines
	ctx   context.Context //nolint:containedctx // that of the call of begin
	cfg   fileConfig
	array bool // the rows are the elements of one array
	about *schema.Table
	cols  *rxcql.Columns
	names []string // of cols
	cells cellsOf
	keys  []string
	parts [][]byte
	text  []byte
}

func (j *jsonRows) begin(in *lines.Reader) (facts []rxcql.Fact, err error) {
	if j.about, err = j.cfg.table(j.ctx); err != nil {
		return nil, err
	}
	if !j.array {
		if err := refuseArray(in); err != nil {
			return nil, err
		}
	}
	return append(j.cfg.dialectFacts(), typesFact(tableColumns(j.about))), nil
}

func (j *jsonRows) row(line []byte, into *rxcql.Row) error {
	if err := j.split(line); err != nil {
		return err
	}
	if j.cols == nil || !slices.Equal(j.keys, j.names) {
		var cols []rxcql.Column
		for _, name := range j.keys {
			col, _ := j.about.Column(name)
			cols = append(cols, rxcql.Column{Name: col.Name, Type: col.Type})
		}
		j.cols, j.names = rxcql.NewColumns(cols), slices.Clone(j.keys)
	}
	list, parse := j.cols.List(), j.cfg.parseJSON()
	j.cells.begin(len(list), len(line))
	for i, col := range list {
		if string(j.parts[i]) == "null" {
			continue
		}
		if err := j.cells.put(i, col, j.parts[i], parse); err != nil {
			return err
		}
	}
	*into = j.cells.row(j.cols)
	return nil
}

// split splits the object of a line into its fields.
func (j *jsonRows) split(line []byte) error {
	j.keys, j.parts = j.keys[:0], j.parts[:0]
	return splitObject(line, &j.text, func(name, value []byte) error {
		var same string
		if i := len(j.keys); i < len(j.names) && string(name) == j.names[i] {
			same = j.names[i] // saves an allocation
		} else {
			same = string(name)
		}
		switch _, known := j.about.Column(same); {
		case !known && j.cfg.loose:
			return nil
		case !known:
			return fmt.Errorf("%w: unknown field %q", jsonline.ErrUnfit, same)
		case slices.Contains(j.keys, same):
			return fmt.Errorf("%w: field %q occurs twice", jsonline.ErrUnfit, same)
		}
		j.keys, j.parts = append(j.keys, same), append(j.parts, value)
		return nil
	})
}

// splitObject calls field for each field of the JSON object of a line. text is memory for names.
func splitObject(line []byte, text *[]byte, field func(name, value []byte) error) error {
	if err := jsonline.Check(line); err != nil {
		return err
	}
	if line = bytes.TrimSpace(line); line[0] != '{' {
		return fmt.Errorf("%w: an object is needed", jsonline.ErrUnfit)
	}
	fields := jsonline.NewParts(line)
	for {
		key, value, more := fields.NextField()
		if !more {
			return nil
		}
		name, err := jsonline.Unquote(key, *text)
		if err == nil {
			err = field(name, value)
		}
		if err != nil {
			return err
		}
	}
}
