package ddl

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// Option is an option of a table, with its value as CQL.
type Option struct{ Name, Value string }

// notOptions are the columns of system_schema.tables and views that are no options of a table.
// extensions belong to vendors, whose statements have no word for them.
var notOptions = map[string]bool{
	"keyspace_name": true, "table_name": true, "view_name": true, "id": true, "flags": true, "extensions": true,
	"base_table_id": true, "base_table_name": true, "include_all_columns": true, "where_clause": true,
}

// Options reads the options of a table, or of a view, sorted by name. Those that the server has no
// value of are left out: it takes its default. A virtual table has none.
func Options(ctx context.Context, q schema.Reader, t *schema.Table) ([]Option, error) {
	if t.Virtual {
		return nil, nil
	}
	in, key := "tables", "table_name"
	if t.View {
		in, key = "views", "view_name"
	}
	types, err := known(ctx, q, in)
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(types))
	var options []Option
	err = each(ctx, q, func(cells [][]byte) error {
		for i, name := range names {
			if cells[i] == nil {
				continue
			}
			value, err := constant(types[name], cells[i])
			if err != nil {
				return fmt.Errorf("option %s of %s: %w", name, t.Quoted(), err)
			}
			options = append(options, Option{name, value})
		}
		return nil
	}, "SELECT "+strings.Join(names, ", ")+" FROM system_schema."+in+" WHERE keyspace_name = ? AND "+key+" = ?", t.Keyspace, t.Name)
	return options, err
}

// superseded are options that servers with another one still have columns for, and refuse.
var superseded = map[string]string{"read_repair_chance": "read_repair", "dclocal_read_repair_chance": "read_repair"}

// Fit parts options into those that another server has, and those that it does not. Options that a
// newer one has taken the place of are in neither.
func Fit(ctx context.Context, q schema.Reader, options []Option) (fit, unknown []Option, err error) {
	types, err := known(ctx, q, "tables")
	if err != nil {
		return nil, nil, err
	}
	for _, o := range options {
		if _, newer := types[superseded[o.Name]]; newer {
			continue
		}
		if _, found := types[o.Name]; found {
			fit = append(fit, o)
		} else {
			unknown = append(unknown, o)
		}
	}
	return fit, unknown, nil
}

// known returns the options that a server has, with the CQL type of each.
func known(ctx context.Context, q schema.Reader, in string) (map[string]string, error) {
	types := map[string]string{}
	err := each(ctx, q, func(cells [][]byte) error {
		if name := string(cells[0]); !notOptions[name] {
			types[name] = string(cells[1])
		}
		return nil
	}, "SELECT column_name, type FROM system_schema.columns WHERE keyspace_name = 'system_schema' AND table_name = ?", in)
	if err == nil && len(types) == 0 {
		err = fmt.Errorf("system_schema.columns has nothing of system_schema.%s", in)
	}
	return types, err
}

// constant writes a value of a type that options have.
func constant(typ string, cell []byte) (string, error) {
	switch {
	case typ == "text" || typ == "ascii":
		return literal(string(cell)), nil
	case typ == "boolean" && len(cell) == 1:
		return strconv.FormatBool(cell[0] != 0), nil
	case typ == "int" && len(cell) == 4:
		return strconv.Itoa(int(int32(binary.BigEndian.Uint32(cell)))), nil
	case typ == "double" && len(cell) == 8:
		return strconv.FormatFloat(math.Float64frombits(binary.BigEndian.Uint64(cell)), 'g', -1, 64), nil
	case strings.HasSuffix(typ, "map<text, text>>") || typ == "map<text, text>":
		texts, err := driver.TextMap(cell)
		return textMap(texts), err
	}
	return "", fmt.Errorf("a value of type %s is not known here", typ)
}

// textMap writes a map, sorted by key.
func textMap(texts map[string]string) string {
	pairs := make([]string, 0, len(texts))
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		pairs = append(pairs, literal(key)+": "+literal(texts[key]))
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}
