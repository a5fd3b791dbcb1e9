package source

import (
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/jsonline"
	"github.com/rxcql/rxcql/internal/lines"
)

// typed reads structs in a dialect, by way of CQL: each field has the CQL type that its Go type is
// most like, and the dialect says how that is spelled.
type typed[T any] struct {
	cols    []rxcql.Column
	decoder *codec.Decoder[T]
	cells   cellsOf
}

func newTyped[T any]() (*typed[T], error) {
	cols, err := codec.NaturalColumns[T]()
	if err != nil {
		return nil, fmt.Errorf("Dialect: %w", err)
	}
	decoder, err := codec.NewDecoder[T](cols)
	if err != nil {
		return nil, fmt.Errorf("Dialect: %w", err)
	}
	return &typed[T]{cols: cols, decoder: decoder}, nil
}

// fork returns one for another reading.
func (t *typed[T]) fork() *typed[T] { return &typed[T]{cols: t.cols, decoder: t.decoder.Fork()} }

func (t *typed[T]) decode(into *T) error {
	_, err := t.decoder.Decode(t.cells.values(), into)
	return err
}

func (t *typed[T]) names() []string {
	names := make([]string, len(t.cols))
	for i, col := range t.cols {
		names[i] = col.Name
	}
	return names
}

// csvTyped reads records into structs, in a dialect.
type csvTyped[T any] struct {
	csvRecords
	*typed[T]
	at []int
}

func (c *csvTyped[T]) begin(in *lines.Reader) (facts []rxcql.Fact, err error) {
	c.at, facts, err = c.columns(in, c.names())
	return facts, err
}

func (c *csvTyped[T]) row(record []byte, into *T) error {
	if c.bad != nil {
		return c.bad
	}
	if err := c.values(&c.cells, c.cols, c.at, len(record)); err != nil {
		return err
	}
	return c.decode(into)
}

// jsonTyped reads objects into structs, in a dialect. Fields are found by their cql tags.
type jsonTyped[T any] struct {
	ndjsonLines
	*typed[T]
	cfg   fileConfig
	array bool
	text  []byte
	index map[string]int
	seen  []bool
}

func (j *jsonTyped[T]) begin(in *lines.Reader) ([]rxcql.Fact, error) {
	j.index = map[string]int{}
	for i, col := range j.cols {
		j.index[col.Name] = i
	}
	if !j.array {
		if err := refuseArray(in); err != nil {
			return nil, err
		}
	}
	return j.cfg.dialectFacts(), nil
}

func (j *jsonTyped[T]) row(line []byte, into *T) error {
	j.cells.begin(len(j.cols), len(line))
	j.seen = append(j.seen[:0], make([]bool, len(j.cols))...)
	parse := j.cfg.parseJSON()
	err := splitObject(line, &j.text, func(name, value []byte) error {
		i, known := j.index[string(name)]
		switch {
		case !known && j.cfg.loose:
			return nil
		case !known:
			return fmt.Errorf("%w: unknown field %q", jsonline.ErrUnfit, name)
		case j.seen[i]:
			return fmt.Errorf("%w: field %q occurs twice", jsonline.ErrUnfit, name)
		}
		if j.seen[i] = true; string(value) == "null" {
			return nil
		}
		return j.cells.put(i, j.cols[i], value, parse)
	})
	if err != nil {
		return err
	}
	return j.decode(into)
}
