package ddl

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// Index is an index of a table.
type Index struct {
	Name string
	// Of is the form in which the index takes the column: "keys", "values", "entries", "full", or
	// "" for the plain value.
	Of      string
	Column  string            // exact letters, without quotes
	Class   string            // of a custom index; "" for one of the server's own
	Options map[string]string // of a custom index, as the user gave them
}

// Indexes reads the indexes of a table. Views and virtual tables have none.
func Indexes(ctx context.Context, q schema.Reader, keyspace, table string) (indexes []Index, err error) {
	err = each(ctx, q, func(cells [][]byte) error {
		options, err := driver.TextMap(cells[1])
		if err != nil {
			return err
		}
		ix := Index{Name: string(cells[0]), Class: options["class_name"]}
		ix.Of, ix.Column = target(options["target"])
		delete(options, "target")
		delete(options, "class_name")
		ix.Options = options
		indexes = append(indexes, ix)
		return nil
	}, "SELECT index_name, options FROM system_schema.indexes WHERE keyspace_name = ? AND table_name = ?", keyspace, table)
	return indexes, err
}

// IndexNames reads the names of all indexes of a keyspace, in which they must differ, with the
// table of each.
func IndexNames(ctx context.Context, q schema.Reader, keyspace string) (map[string]string, error) {
	names := map[string]string{}
	err := each(ctx, q, func(cells [][]byte) error {
		names[string(cells[0])] = string(cells[1])
		return nil
	}, "SELECT index_name, table_name FROM system_schema.indexes WHERE keyspace_name = ?", keyspace)
	return names, err
}

var targetForm = regexp.MustCompile(`^(keys|values|entries|full)\((.*)\)$`)

// target reads what an index is of, such as values("Tags"). Names are quoted as CQL needs it.
func target(s string) (of, column string) {
	if m := targetForm.FindStringSubmatch(s); m != nil {
		of, s = m[1], m[2]
	}
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
	}
	return of, s
}

// Create returns the statement that makes the index on a table, unless the keyspace has one of its
// name.
func (ix Index) Create(keyspace, table string) string {
	on := schema.Quote(ix.Column)
	if ix.Of != "" {
		on = ix.Of + "(" + on + ")"
	}
	custom := ""
	if ix.Class != "" {
		custom = "CUSTOM "
	}
	cql := "CREATE " + custom + "INDEX IF NOT EXISTS " + schema.Quote(ix.Name) + " ON " + qualified(keyspace, table) + " (" + on + ")"
	if ix.Class == "" {
		return cql
	}
	cql += " USING " + literal(ix.Class)
	if len(ix.Options) > 0 {
		cql += " WITH OPTIONS = " + textMap(ix.Options)
	}
	return cql
}

// Like reports whether two indexes are of the same column in the same way, whatever their names.
func (ix Index) Like(other Index) bool {
	return ix.Of == other.Of && ix.Column == other.Column && ix.Class == other.Class && maps.Equal(ix.Options, other.Options)
}

// Has reports whether one of some indexes is like this one.
func (ix Index) Has(among []Index) bool { return slices.ContainsFunc(among, ix.Like) }
