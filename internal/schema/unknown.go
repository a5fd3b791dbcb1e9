package schema

import (
	"context"
	"fmt"
	"slices"
)

// unknown makes the error for a table that is not there.
func (l *loader) unknown(ctx context.Context, table string) error {
	var keyspaces, tables []string
	into := func(names *[]string) func([][]byte) error {
		return func(cells [][]byte) error {
			*names = append(*names, string(cells[0]))
			return nil
		}
	}
	err := l.each(ctx, into(&keyspaces), "SELECT keyspace_name FROM system_schema.keyspaces")
	if err == nil {
		err = l.virtual(ctx, into(&keyspaces), "SELECT keyspace_name FROM system_virtual_schema.keyspaces")
	}
	if err != nil {
		return err
	}
	if !slices.Contains(keyspaces, l.keyspace) {
		return fmt.Errorf("%w: %s%s", ErrUnknownKeyspace, Spell(l.keyspace), Meant(l.keyspace, keyspaces))
	}
	const where = " WHERE keyspace_name = ?"
	err = l.each(ctx, into(&tables), "SELECT table_name FROM system_schema.tables"+where, l.keyspace)
	if err == nil {
		err = l.each(ctx, into(&tables), "SELECT view_name FROM system_schema.views"+where, l.keyspace)
	}
	if err == nil {
		err = l.virtual(ctx, into(&tables), "SELECT table_name FROM system_virtual_schema.tables"+where, l.keyspace)
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s in keyspace %s%s", ErrUnknownTable, Spell(table), Spell(l.keyspace),
		Meant(table, tables))
}
