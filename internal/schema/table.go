package schema

import (
	"slices"
	"strings"

	"github.com/rxcql/rxcql/internal/codec"
)

// Kind is the part that a column has in its table.
type Kind uint8

const (
	Regular      Kind = iota
	PartitionKey      // makes the token
	Clustering        // orders the rows of a partition
	Static            // one value a partition
)

func (k Kind) String() string {
	return [...]string{"regular", "partition key", "clustering", "static"}[k]
}

// Column is one column of a table.
type Column struct {
	Name       string // exact letters, without quotes
	Kind       Kind
	Position   int         // among the columns of its Kind for keys, from 0; -1 for others
	Type       *codec.Type // user-defined types are resolved
	Descending bool        // a clustering column in descending order
}

// Table is one table, as it was when it was read.
type Table struct {
	Keyspace, Name string // exact letters, without quotes

	// ID is the table's uuid: it changes when a table is dropped and made
	// anew. A virtual table has none.
	ID string

	// Columns has the partition key, the clustering columns, the static ones
	// and the regular ones, in the order of a SELECT *.
	Columns       []Column
	PartitionKey  []Column
	ClusteringKey []Column

	// Dropped are the columns that the table had once, with when they were dropped. Some
	// may have been made again since. A view and a virtual table have none.
	Dropped map[string]string

	Counter    bool   // its regular columns are counters
	Compact    bool   // made WITH COMPACT STORAGE and never converted
	View       bool   // a materialized view: it can be read only
	BaseTable  string // of a view
	Virtual    bool   // made by each node out of itself: it has no ring to scan
	DefaultTTL int    // seconds, 0 for none
}

// Column finds a column by its exact name.
func (t *Table) Column(name string) (Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// Quoted is the table's name for a statement, such as "shop"."orders".
func (t *Table) Quoted() string { return Quote(t.Keyspace) + "." + Quote(t.Name) }

// ByName returns the columns of the primary key, in their order, and then all others by name.
func (t *Table) ByName() []Column {
	keys := len(t.PartitionKey) + len(t.ClusteringKey)
	columns := slices.Clone(t.Columns)
	slices.SortFunc(columns[keys:], func(a, b Column) int { return strings.Compare(a.Name, b.Name) })
	return columns
}

// ColumnNames are the names of all columns, in the order of Columns.
func (t *Table) ColumnNames() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}
