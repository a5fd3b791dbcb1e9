package sink

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

// A tuple cannot be bound as one value: gocql wants one value for each element, and then does not
// find their types. So a tuple is written as a literal, (?, ?), with the raw bytes of its elements;
// nested tuples likewise. Such a literal cannot express a null tuple, since a tuple of nulls is
// something else. So rows have a shape, which says which tuples are null, and each shape has its
// own statement. Tuples inside collections and user-defined types are part of the bytes of those
// values and need none of this.

// errTuple does not show the bytes.
var errTuple = errors.New("the bytes are not a value of the type")

// nullElement is a null that is never unset, since the server refuses unset within a tuple. It
// differs from other nulls by having bytes.
var nullElement = codec.Cell{Null: true, Bytes: []byte{}}

// expands reports whether values of a type are written as a literal.
func expands(t *codec.Type) bool { return t.Kind == codec.Tuple }

// Signs in the signature of a shape, in the order of the columns.
const (
	signValue   = 'v'
	signNull    = 'n' // written as the word null
	signOmitted = '-' // the column is left out, and stays as it is
	signOpen    = '('
	signClose   = ')'
	signStatic  = 's' // in front: only partition key and static columns
)

// shaper determines the shape of rows. It is used by one goroutine.
type shaper struct {
	sign  []byte
	cells []codec.Cell
}

// shape returns the statement for a row and the cells that it binds.
func (s *shaper) shape(p *plan, cells []codec.Cell) (*statement, []codec.Cell, error) {
	static := p.statics && onlyStatics(p, cells)
	if !static {
		if name := p.missing(cells); name != "" {
			return nil, nil, fmt.Errorf("column %q is of the primary key and cannot be null", name)
		}
		if !p.shaped {
			return p.usual, cells, nil
		}
	}
	s.sign, s.cells = s.sign[:0], s.cells[:0]
	if static {
		s.sign = append(s.sign, signStatic)
	}
	for i, cell := range cells {
		c := p.columns[i]
		switch {
		case static && c.Kind != schema.PartitionKey && c.Kind != schema.Static:
			s.sign = append(s.sign, signOmitted)
		case !expands(c.Type):
			s.value(cell)
		case cell.Null && !p.options.nullsDelete:
			s.sign = append(s.sign, signOmitted)
		default:
			if err := s.tuple(c.Type, cell); err != nil {
				return nil, nil, fmt.Errorf("column %q (%s): %w", c.Name, c.Type, err)
			}
		}
	}
	st := p.shapes[string(s.sign)]
	if st == nil {
		st = p.shaping(string(s.sign))
		p.shapes[string(s.sign)] = st
	}
	return st, s.cells, nil
}

// onlyStatics reports whether a row is what a scan returns for a partition without rows: its static
// columns, and null for all others. A collection that is not frozen and has no elements is null to
// the server; DSBulk writes such a row with [] and {}.
func onlyStatics(p *plan, cells []codec.Cell) bool {
	for i, cell := range cells {
		switch p.columns[i].Kind {
		case schema.PartitionKey:
			if cell.Null {
				return false
			}
		case schema.Clustering, schema.Regular:
			if !cell.Null && !noElements(p.columns[i].Type, cell) {
				return false
			}
		}
	}
	return true
}

// noElements reports whether a value is a collection that is not frozen and has no elements.
func noElements(t *codec.Type, cell codec.Cell) bool {
	switch t.Kind {
	case codec.List, codec.Set, codec.Map:
		return !t.Frozen && len(cell.Bytes) == 4 && binary.BigEndian.Uint32(cell.Bytes) == 0
	}
	return false
}

func (s *shaper) value(cell codec.Cell) {
	s.sign = append(s.sign, signValue)
	s.cells = append(s.cells, cell)
}

// tuple splits a tuple. Elements beyond the end of its bytes are null.
func (s *shaper) tuple(t *codec.Type, cell codec.Cell) error {
	if cell.Null {
		s.sign = append(s.sign, signNull)
		return nil
	}
	rest := cell.Bytes
	if len(rest) == 0 {
		return errors.New("an empty value of a tuple, which is neither null nor has elements, cannot be written")
	}
	s.sign = append(s.sign, signOpen)
	for _, et := range t.Elems {
		elem := nullElement
		if len(rest) > 0 {
			if len(rest) < 4 {
				return errTuple
			}
			n := int(int32(binary.BigEndian.Uint32(rest)))
			rest = rest[4:]
			switch {
			case n > len(rest) || n < -1:
				return errTuple
			case n >= 0:
				elem = codec.Cell{Bytes: rest[:n:n]}
				rest = rest[n:]
			}
		}
		if !expands(et) {
			s.value(elem)
		} else if err := s.tuple(et, elem); err != nil {
			return err
		}
	}
	if len(rest) > 0 {
		return errTuple
	}
	s.sign = append(s.sign, signClose)
	return nil
}

// shaping makes the statement of a shape.
func (p *plan) shaping(sign string) *statement {
	static := sign[0] == signStatic
	if static {
		sign = sign[1:]
	}
	var set []assignment
	lists := false
	for _, c := range p.columns {
		a := assignment{name: c.Name}
		if a.term, a.types, sign = term(sign, c.Type); a.term != "" {
			set = append(set, a)
			lists = lists || appends(c)
		}
	}
	if p.options.delete {
		return deletion(p.table, p.options.same, set)
	}
	return insertion(p.table, p.options.same, set, p.options.ttl, lists)
}

// term reads the signs of one value. It returns the value's text, "" for none, the types of the
// markers in it, and the rest of the signs.
func term(sign string, t *codec.Type) (text string, types []*codec.Type, rest string) {
	first, rest := sign[0], sign[1:]
	switch first {
	case signOmitted:
		return "", nil, rest
	case signNull:
		return "null", nil, rest
	case signValue:
		return "?", []*codec.Type{t}, rest
	}
	text = "("
	for i := 0; rest[0] != signClose; i++ {
		var elem string
		var inner []*codec.Type
		elem, inner, rest = term(rest, t.Elems[i])
		if i > 0 {
			text += ","
		}
		text += elem
		types = append(types, inner...)
	}
	return text + ")", types, rest[1:]
}
