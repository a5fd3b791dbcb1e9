package verbs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/tables"
)

// tableOf is the table that a folder is named after.
func tableOf(folder string) string {
	_, table, found := strings.Cut(folder, ".")
	if !found {
		table = folder
	}
	return table
}

// folderOf finds the folder of a table in a folder of tables, as an unload of a keyspace makes
// it. A folder that has files itself is the table's own.
func folderOf(path string, into tables.Name) string {
	entries, err := os.ReadDir(path)
	if err != nil {
		return path
	}
	var found []string
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), "."), isUnfinished(e.Name()): // the table's own folder says whether all is in it
		case !e.IsDir():
			return path
		case e.Name() == into.Keyspace+"."+into.Table:
			found = []string{e.Name()}
		case tableOf(e.Name()) == into.Table && !slices.Contains(found, into.Keyspace+"."+into.Table):
			found = append(found, e.Name())
		}
	}
	if len(found) != 1 {
		return path
	}
	return filepath.Join(path, found[0])
}
