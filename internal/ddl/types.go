package ddl

import (
	"context"
	"strings"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// Types returns the user-defined types that columns need, each before those that contain it.
func Types(columns []schema.Column) (types []*codec.Type) {
	seen := map[string]bool{}
	var walk func(t *codec.Type)
	walk = func(t *codec.Type) {
		for _, e := range t.Elems {
			walk(e)
		}
		for _, f := range t.Fields {
			walk(f.Type)
		}
		if t.Kind == codec.UDT && !seen[t.Name] {
			seen[t.Name] = true
			types = append(types, t)
		}
	}
	for _, c := range columns {
		walk(c.Type)
	}
	return types
}

// CreateType returns the statement that makes a user-defined type in a keyspace, unless there is
// one of that name.
func CreateType(keyspace string, t *codec.Type) string {
	fields := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		fields[i] = schema.Quote(f.Name) + " " + f.Type.String()
	}
	return "CREATE TYPE IF NOT EXISTS " + qualified(keyspace, t.Name) + " (" + strings.Join(fields, ", ") + ")"
}

// UserType is a user-defined type as the server spells it.
type UserType struct{ Fields, Types []string }

// UserTypes reads the types of a keyspace, by name.
func UserTypes(ctx context.Context, q schema.Reader, keyspace string) (map[string]UserType, error) {
	types := map[string]UserType{}
	err := each(ctx, q, func(cells [][]byte) error {
		fields, err := driver.Texts(cells[1])
		if err != nil {
			return err
		}
		spelled, err := driver.Texts(cells[2])
		types[string(cells[0])] = UserType{Fields: fields, Types: spelled}
		return err
	}, "SELECT type_name, field_names, field_types FROM system_schema.types WHERE keyspace_name = ?", keyspace)
	return types, err
}

// Like reports whether the type is the one of the same name, field by field.
func (u UserType) Like(t *codec.Type) bool {
	if len(u.Fields) != len(t.Fields) || len(u.Types) != len(t.Fields) {
		return false
	}
	for i, f := range t.Fields {
		if u.Fields[i] != f.Name || u.Types[i] != f.Type.String() {
			return false
		}
	}
	return true
}
