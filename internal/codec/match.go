package codec

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// stepDesc is what a plan knows of one column: where it goes, and what errors say about it.
type stepDesc struct {
	col    Column
	field  string // "" when the row type itself is the column
	typ    reflect.Type
	offset uintptr
}

func (d *stepDesc) cellError(op string, err error) error {
	return &CellError{Op: op, Column: d.col.Name, CQLType: d.col.Type.String(), Field: d.field, GoType: d.typ.String(), Err: err}
}

type matchRules struct {
	reading bool
	// spareFields allows fields that no column takes.
	spareFields bool
	// repeats allows a column to be named twice, as in a SET … = ? with a WHERE … = ?.
	repeats bool
}

// match finds the field for each column, in the order of the columns.
func match(rt reflect.Type, cols []Column, rules matchRules) ([]stepDesc, error) {
	fields, isStruct, err := fieldsOf(rt)
	if err != nil {
		return nil, err
	}
	for _, c := range cols {
		if c.Type == nil {
			return nil, &MismatchError{Column: c.Name, GoType: rt.String(), Reason: "the column has no type"}
		}
	}
	if !isStruct {
		return matchOne(rt, cols, rules)
	}
	var bad mismatches
	byName := map[string]*field{}
	var names []string
	for i := range fields {
		byName[fields[i].name] = &fields[i]
		names = append(names, fields[i].name)
	}
	taken := map[string]bool{}
	var colNames []string
	var descs []stepDesc
	for _, c := range cols {
		f := byName[c.Name]
		switch {
		case f == nil:
			remedy := fmt.Sprintf("add a field with the tag `cql:%q`", c.Name)
			if rules.reading {
				remedy += " or leave the column out of the statement"
			}
			if n := alike(c.Name, names); n != "" {
				remedy = fmt.Sprintf("a field is tagged %q: the names must be equal", n)
			}
			bad.errs = append(bad.errs, &MismatchError{Column: c.Name, CQLType: c.Type.String(), GoType: rt.String(),
				Reason: "no field takes the column", Remedy: remedy})
		case taken[c.Name] && !rules.repeats:
			bad.errs = append(bad.errs, &MismatchError{Column: c.Name, CQLType: c.Type.String(), Field: f.path, GoType: f.typ.String(),
				Reason: "the column occurs twice", Remedy: "name it once, or give one an alias with AS"})
		default:
			descs = append(descs, stepDesc{col: c, field: f.path, typ: f.typ, offset: f.offset})
		}
		taken[c.Name] = true
		colNames = append(colNames, c.Name)
	}
	for _, f := range fields {
		if taken[f.name] || rules.spareFields {
			continue
		}
		remedy := "take the tag away, tag it \"-\", or add the column to the statement"
		if n := alike(f.name, colNames); n != "" {
			remedy = fmt.Sprintf("a column is called %q: the names must be equal", n)
		}
		bad.errs = append(bad.errs, &MismatchError{Column: f.name, Field: f.path, GoType: f.typ.String(),
			Reason: "the statement has no such column", Remedy: remedy})
	}
	return descs, bad.join()
}

// matchOne fits a row type that is a column itself.
func matchOne(rt reflect.Type, cols []Column, rules matchRules) ([]stepDesc, error) {
	if len(cols) == 1 || len(cols) > 0 && rules.repeats && allNamed(cols, cols[0].Name) {
		var descs []stepDesc
		for _, c := range cols {
			descs = append(descs, stepDesc{col: c, typ: rt})
		}
		return descs, nil
	}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.Name
	}
	remedy := "use a struct with cql tags, rxcql.Row, or a statement with one column"
	if rt.Kind() == reflect.Pointer && rt.Elem().Kind() == reflect.Struct && !scalarStruct(rt.Elem()) {
		remedy = "use " + rt.Elem().String() + ", not a pointer to it"
	}
	return nil, &MismatchError{GoType: rt.String(), Remedy: remedy,
		Reason: fmt.Sprintf("it takes one column and the statement has %d (%s)", len(cols), strings.Join(names, ", "))}
}

func allNamed(cols []Column, name string) bool {
	for _, c := range cols {
		if c.Name != name {
			return false
		}
	}
	return true
}

// mismatches gathers what does not fit, to report it together.
type mismatches struct{ errs []error }

func (m *mismatches) add(d *stepDesc, err error) {
	e := &MismatchError{Column: d.col.Name, CQLType: d.col.Type.String(), Field: d.field, GoType: d.typ.String(), Reason: err.Error()}
	var top *noFit
	if errors.As(err, &top) && error(top) == err { //nolint:errorlint // the top of the chain is meant
		e.Remedy = top.remedy
		bare := *top
		bare.remedy = ""
		e.Reason = bare.Error()
	}
	m.errs = append(m.errs, e)
}

func (m *mismatches) join() error { return errors.Join(m.errs...) }
