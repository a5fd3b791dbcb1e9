package schema

import (
	"context"
	"fmt"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

// userTypes resolves the user-defined types of one keyspace, each once, and
// those that their fields refer to.
type userTypes struct {
	*loader
	known map[string]*codec.Type
	open  map[string]bool // being resolved further up
	rows  map[string]userType
}

type userType struct{ fields, types []string }

func (u *userTypes) resolve(ctx context.Context, name string) (*codec.Type, error) {
	if t, ok := u.known[name]; ok {
		return t, nil
	}
	if u.rows == nil {
		if err := u.read(ctx); err != nil {
			return nil, err
		}
	}
	row, ok := u.rows[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("no user-defined type %s in keyspace %s", name, u.keyspace)
	case u.open[name]:
		return nil, fmt.Errorf("the user-defined type %s holds itself", name)
	case len(row.fields) != len(row.types):
		return nil, fmt.Errorf("the user-defined type %s has %d fields and %d types", name, len(row.fields), len(row.types))
	}
	u.open[name] = true
	defer delete(u.open, name)

	t := &codec.Type{Kind: codec.UDT, Keyspace: u.keyspace, Name: name}
	for i, field := range row.fields {
		typ, err := codec.Parse(row.types[i], func(name string) (*codec.Type, error) { return u.resolve(ctx, name) })
		if err != nil {
			return nil, fmt.Errorf("field %s of the user-defined type %s: %w", field, name, err)
		}
		t.Fields = append(t.Fields, codec.Field{Name: field, Type: typ})
	}
	u.known[name] = t
	return t, nil
}

func (u *userTypes) read(ctx context.Context) error {
	u.known, u.open, u.rows = make(map[string]*codec.Type), make(map[string]bool), make(map[string]userType)
	return u.each(ctx, func(cells [][]byte) error {
		fields, err := driver.Texts(cells[1])
		if err != nil {
			return err
		}
		types, err := driver.Texts(cells[2])
		u.rows[string(cells[0])] = userType{fields: fields, types: types}
		return err
	}, "SELECT type_name, field_names, field_types FROM system_schema.types WHERE keyspace_name = ?", u.keyspace)
}
