package ddl

import (
	"context"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql/internal/schema"
)

// Dependents names what belongs to a table and is not made with it: materialized views and
// triggers.
func Dependents(ctx context.Context, q schema.Reader, t *schema.Table) (names []string, err error) {
	err = each(ctx, q, func(cells [][]byte) error {
		if string(cells[1]) == t.Name {
			names = append(names, "materialized view "+schema.Spell(string(cells[0])))
		}
		return nil
	}, "SELECT view_name, base_table_name FROM system_schema.views WHERE keyspace_name = ?", t.Keyspace)
	if err != nil {
		return nil, err
	}
	err = each(ctx, q, func(cells [][]byte) error {
		names = append(names, "trigger "+schema.Spell(string(cells[0])))
		return nil
	}, "SELECT trigger_name FROM system_schema.triggers WHERE keyspace_name = ? AND table_name = ?", t.Keyspace, t.Name)
	slices.Sort(names)
	return names, err
}

// Masks names the columns of a table that the server masks, with the function: without the
// permission UNMASK their values are not those that are read.
func Masks(ctx context.Context, q schema.Reader, t *schema.Table) (masks map[string]string, err error) {
	masks = map[string]string{}
	err = each(ctx, q, func(cells [][]byte) error {
		masks[string(cells[0])] = fmt.Sprintf("%s.%s", cells[1], cells[2])
		return nil
	}, "SELECT column_name, function_keyspace, function_name FROM system_schema.column_masks WHERE keyspace_name = ? AND table_name = ?",
		t.Keyspace, t.Name)
	return masks, err
}
