package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheReferenceNamesWhatUsersCallWhatHooksAreToldAndEveryKindOfError(t *testing.T) {
	reference := pages(t, "docs/reference.md")[0]
	named := map[string]bool{}
	for _, span := range spansOf(reference) {
		named[span] = true
	}
	for _, folder := range []string{".", "flow", "source", "operators", "sink", "checkpoint", "deadletter", "parquet", "dialect",
		"transfer", "transfer/parquetfiles", "rxcqltest", "rxcqltest/cqlfake"} {
		public := publicOf(t, folder)
		require.NotEmpty(t, public, folder)
		for _, name := range public {
			if !named[name] && !ofTheEngine[name] {
				t.Errorf("docs/reference.md: `%s` is not in it", name)
			}
		}
	}
}

// ofTheEngine is what package flow exports for the engine alone, as its documentation says.
var ofTheEngine = map[string]bool{
	"flow.NewBudget": true, "flow.NewTrack": true, "flow.NewBrokenTrack": true, "flow.NewReceipt": true,
	"flow.NewFrontier": true, "flow.Reread": true,
	"flow.ErrBudgetHeld": true, // users have it as rxcql.ErrBudgetHeld
}

func TestEachPageOfDocsIsLinkedFromTheReadme(t *testing.T) {
	links := linksOf(pages(t, "README.md")[0])
	for _, p := range pages(t, "docs/*.md") {
		require.True(t, slices.Contains(links, p.path), "README.md has no link to %s", p.path)
	}
}

// publicOf is what a package exports for users, as pkg.Name: functions, kinds of errors, and
// what hooks are told. Of Hooks they are the fields.
func publicOf(t *testing.T, folder string) (public []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		parsed, err := parser.ParseFile(token.NewFileSet(), path.Base(name), text, parser.SkipObjectResolution)
		require.NoError(t, err)
		add := func(id *ast.Ident) {
			if id.IsExported() {
				public = append(public, fmt.Sprintf("%s.%s", parsed.Name.Name, id.Name))
			}
		}
		for _, d := range parsed.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					add(d.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.ValueSpec:
						for _, id := range spec.Names {
							if d.Tok == token.VAR {
								add(id)
							}
						}
					case *ast.TypeSpec:
						if name := spec.Name.Name; strings.HasSuffix(name, "Error") || strings.HasSuffix(name, "Event") {
							add(spec.Name)
						} else if name == "Hooks" {
							for _, field := range members(spec.Type) {
								public = append(public, "Hooks."+field)
							}
						}
					}
				}
			}
		}
	}
	return public
}
