// Package tables finds the tables that the arguments of a command mean, and their order by size.
package tables

import (
	"fmt"

	"github.com/rxcql/rxcql/internal/schema"
)

// Name is the name of a table: the exact letters of keyspace and table, without quotes. The table
// is empty if a whole keyspace is meant.
type Name struct{ Keyspace, Table string }

// String returns the name as CQL would need it.
func (n Name) String() string {
	if n.Table == "" {
		return schema.Spell(n.Keyspace)
	}
	return schema.Spell(n.Keyspace) + "." + schema.Spell(n.Table)
}

// Parse reads an argument: a table (shop.orders), or a keyspace (shop). Each part stands in double
// quotes where CQL would need them.
func Parse(arg string) (Name, error) {
	if keyspace, table, err := schema.ParseName(arg); err == nil {
		return Name{keyspace, table}, nil
	}
	if keyspace, _, err := schema.ParseName(arg + ".t"); err == nil {
		return Name{Keyspace: keyspace}, nil
	}
	return Name{}, fmt.Errorf(`%q is no table and no keyspace: give shop.orders, shop, or "Shop"."Orders"`, arg)
}
