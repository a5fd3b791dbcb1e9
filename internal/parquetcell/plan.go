package parquetcell

import (
	"errors"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go"

	"github.com/rxcql/rxcql/internal/codec"
)

// Rules say what a Plan may do.
type Rules struct {
	// Truncate cuts times that are finer than milliseconds.
	Truncate bool
	// Loose leaves out fields of a group that a user-defined type does not have.
	Loose bool
}

// Plan is how columns of a file become columns of CQL. Several goroutines may use one.
type Plan struct {
	columns []codec.Column
	nodes   []*node
	leaves  []*parquet.Column // that are read, by slot
}

// node is the plan of one value.
type node struct {
	levels
	form        form
	typ         *codec.Type
	first, last int // its slots among the leaves
	kids        []*node
	convert     convert
}

// errNoFit: a column of the file cannot be read as the CQL type.
var errNoFit = errors.New("it does not fit")

// NewPlan makes the plan by which columns of a file with this schema become columns of these types
// and names. Each error names its column; all of them come together.
func NewPlan(root *parquet.Column, columns []codec.Column, rules Rules) (*Plan, error) {
	p := &planner{Plan: Plan{columns: columns}, rules: rules}
	var errs []error
	for _, c := range columns {
		from := root.Column(c.Name)
		if from == nil {
			errs = append(errs, fmt.Errorf("column %q is not in the file", c.Name))
			continue
		}
		n, err := p.fit(from, c.Type)
		if err != nil {
			errs = append(errs, fmt.Errorf("column %q: %w", c.Name, err))
			continue
		}
		p.nodes = append(p.nodes, n)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &p.Plan, nil
}

// Columns returns the columns of the rows that the plan makes.
func (p *Plan) Columns() []codec.Column { return p.columns }

// Fits returns why a column cannot be read as a CQL type, nil if it can.
func Fits(c *parquet.Column, t *codec.Type, rules Rules) error {
	_, err := (&planner{rules: rules}).fit(c, t)
	return err
}

type planner struct {
	Plan
	rules Rules
}

// fit plans a column. One that repeats without being annotated as a list is a list too, as files
// made from protocol buffers have them.
func (p *planner) fit(c *parquet.Column, t *codec.Type) (*node, error) {
	if !c.Repeated() {
		n, err := p.inside(c, t)
		if err != nil {
			return nil, err
		}
		n.required, n.present = !c.Optional(), c.MaxDefinitionLevel()
		return n, nil
	}
	if !isList(t) {
		return nil, noFit(c, t)
	}
	return p.list(c, t, func() (*node, error) { return p.once(c, t.Elems[0]) })
}

// once plans one element of a column that repeats.
func (p *planner) once(c *parquet.Column, t *codec.Type) (*node, error) {
	n, err := p.inside(c, t)
	if err == nil {
		n.required, n.present = true, c.MaxDefinitionLevel()
	}
	return n, err
}

func isList(t *codec.Type) bool {
	return t.Kind == codec.List || t.Kind == codec.Set || t.Kind == codec.Vector
}

// list plans a list whose elements are those of a column that repeats.
func (p *planner) list(repeated *parquet.Column, t *codec.Type, element func() (*node, error)) (*node, error) {
	n := &node{form: formList, typ: t, first: len(p.leaves), levels: levels{required: true}}
	kid, err := element()
	if err != nil {
		return nil, err
	}
	n.kids = []*node{kid}
	n.repeats, n.element = repeated.MaxRepetitionLevel(), repeated.MaxDefinitionLevel()
	n.last = len(p.leaves)
	return n, nil
}

// inside plans what is in a column, leaving aside whether it may be null.
func (p *planner) inside(c *parquet.Column, t *codec.Type) (*node, error) {
	switch {
	case isList(t):
		repeated, element := elementOf(c)
		switch {
		case repeated == nil:
			return nil, noFit(c, t)
		case element == repeated:
			return p.list(repeated, t, func() (*node, error) { return p.once(element, t.Elems[0]) })
		}
		return p.list(repeated, t, func() (*node, error) { return p.fit(element, t.Elems[0]) })
	case t.Kind == codec.Map:
		return p.entries(c, t)
	case t.Kind == codec.Tuple || t.Kind == codec.UDT:
		return p.group(c, t)
	case !c.Leaf():
		return nil, noFit(c, t)
	}
	convert := converter(senseOf(c.Type()), t, p.rules.Truncate)
	if convert == nil {
		return nil, noFit(c, t)
	}
	n := &node{form: formLeaf, typ: t, first: len(p.leaves), last: len(p.leaves) + 1, convert: convert}
	p.leaves = append(p.leaves, c)
	return n, nil
}

func (p *planner) entries(c *parquet.Column, t *codec.Type) (*node, error) {
	repeated := entriesOf(c)
	if repeated == nil {
		return nil, noFit(c, t)
	}
	n := &node{form: formMap, typ: t, first: len(p.leaves)}
	for i, of := range repeated.Columns() {
		kid, err := p.fit(of, t.Elems[i])
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, kid)
	}
	n.repeats, n.element = repeated.MaxRepetitionLevel(), repeated.MaxDefinitionLevel()
	n.last = len(p.leaves)
	return n, nil
}

// group plans a user-defined type, whose fields are found by name, or a tuple, whose elements are
// found by their place.
func (p *planner) group(c *parquet.Column, t *codec.Type) (*node, error) {
	if c.Leaf() || c.Type().LogicalType() != nil {
		return nil, noFit(c, t)
	}
	n := &node{form: formGroup, typ: t, first: len(p.leaves)}
	fields := fieldsOf(t)
	if t.Kind == codec.Tuple && len(fields) != len(c.Columns()) {
		return nil, fmt.Errorf("%w: it has %d fields, and a %s has %d", errNoFit, len(c.Columns()), t, len(fields))
	}
	for i, f := range fields {
		from := c.Column(f.Name)
		if t.Kind == codec.Tuple {
			from = c.Columns()[i]
		}
		kid := &node{form: formNull, typ: f.Type, first: len(p.leaves), last: len(p.leaves)}
		if from != nil {
			var err error
			if kid, err = p.fit(from, f.Type); err != nil {
				return nil, fmt.Errorf("field %q: %w", from.Name(), err)
			}
		}
		n.kids = append(n.kids, kid)
	}
	if n.last = len(p.leaves); n.first == n.last {
		return nil, fmt.Errorf("%w: it has no field of a %s", errNoFit, t)
	}
	for _, of := range c.Columns() {
		if t.Kind == codec.UDT && !p.rules.Loose &&
			!slices.ContainsFunc(fields, func(f codec.Field) bool { return f.Name == of.Name() }) {
			return nil, fmt.Errorf("%w: a %s has no field %q; give IgnoreUnknown to leave it out", errNoFit, t, of.Name())
		}
	}
	return n, nil
}

func noFit(c *parquet.Column, t *codec.Type) error {
	return fmt.Errorf("%w: it is %s, which cannot be read as %s", errNoFit, describe(c), codec.A(t))
}
