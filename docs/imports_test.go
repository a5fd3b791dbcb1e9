package docs_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/rxcql/rxcql"

func TestImportsGoOneWay(t *testing.T) {
	checked := map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		relative, err := filepath.Rel(root, filepath.Dir(name))
		require.NoError(t, err)
		from := filepath.ToSlash(relative)
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if to, ours := within(imported); ours {
				checked[from] = true
				require.True(t, mayImport(from, to), "%s imports %s", name, imported)
			}
		}
		return nil
	}))
	for _, folder := range []string{".", "flow", "source", "operators", "sink", "checkpoint", "deadletter", "internal/driver"} {
		require.True(t, checked[folder], folder)
	}
}

// within returns the folder of a package of the module.
func within(imported string) (folder string, ours bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

// mayImport reports whether a package in one folder may import that in another, by DESIGN ("What is
// in which folder?").
func mayImport(from, to string) bool {
	floors := map[string]int{"internal": 0, "dialect": 0, "flow": 1, ".": 2} // internal/csvrow works by a dialect
	floor := func(folder string) int {
		top, _, _ := strings.Cut(folder, "/")
		switch at, low := floors[top]; {
		case folder == "internal/jobtest", folder == "internal/timetest": // for tests, like rxcqltest
			return 3
		case folder == "internal/gravetest", folder == "internal/droptest": // for tests, over rxcqltest/cqlfake
			return 5
		case low:
			return at
		case top == "dialect": // what source and sink share; internal/csvrow reads by it
			return 0
		case folder == "transfer/parquetfiles": // a format of transfer, which does not import its library
			return 5
		case top == "transfer":
			return 4
		case top == "cmd" || top == "examples" || top == "integration" || top == "bench" || top == "rxcqltest":
			return 5
		default:
			return 3
		}
	}
	return floor(from) > floor(to) || floor(from) == 5 || floor(from) == 0 && floor(to) == 0
}

func TestAnImportOfAHigherFloorIsFound(t *testing.T) {
	for _, allowed := range [][2]string{
		{"internal/driver", "internal/codec"}, {"flow", "internal/ring"}, {".", "flow"}, {"source", "."}, {"sink", "internal/driver"},
		{"rxcqltest", "internal/jobtest"}, {"internal/timetest", "flow"}, {"examples/copy", "sink"}, {"integration/sink", "integration/cassandra"},
		{"transfer", "source"}, {"transfer", "internal/driver"}, {"source", "dialect"}, {"cmd/rxcql/internal/verbs", "transfer"}, {"cmd/rxcql", "cmd/rxcql/internal/verbs"},
	} {
		require.True(t, mayImport(allowed[0], allowed[1]), allowed)
	}
	for _, refused := range [][2]string{
		{"internal/driver", "flow"}, {"internal/driver", "."}, {"flow", "."}, {"flow", "source"}, {".", "operators"},
		{"source", "operators"}, {"sink", "source"}, {"checkpoint", "deadletter"}, {"operators", "rxcqltest"}, {"sink", "examples/copy"}, {"source", "transfer"}, {"transfer", "cmd/rxcql"}, {"dialect", "flow"}, {"internal/driver", "internal/jobtest"},
	} {
		require.False(t, mayImport(refused[0], refused[1]), refused)
	}
}
