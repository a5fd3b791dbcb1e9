package source

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

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
	names []string                  // of cols
	known map[string]*rxcql.Columns // by the names of columns
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
		j.cols, j.names = j.columns(), slices.Clone(j.keys)
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
	return j.cfg.checked(*into)
}

// mostShapes is how many different columns are kept to be used again.
const mostShapes = 256

// columns returns the columns of the row that was split. Rows with the same names share theirs also
// where rows of different names take turns, so that those behind need not look at them anew.
func (j *jsonRows) columns() *rxcql.Columns {
	shape := strings.Join(j.keys, "\x00")
	if cols := j.known[shape]; cols != nil {
		return cols
	}
	var list []rxcql.Column
	for _, name := range j.keys {
		col, _ := j.about.Column(name)
		list = append(list, rxcql.Column{Name: col.Name, Type: col.Type})
	}
	if j.known == nil || len(j.known) >= mostShapes {
		j.known = map[string]*rxcql.Columns{}
	}
	cols := rxcql.NewColumns(list)
	j.known[shape] = cols
	return cols
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
