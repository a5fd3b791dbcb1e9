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

func TestTheReferenceNamesEverythingThatUsersCallAndEveryKindOfError(t *testing.T) {
	reference := pages(t, "docs/reference.md")[0]
	named := map[string]bool{}
	for _, span := range spansOf(reference) {
		named[span] = true
	}
	for _, folder := range []string{".", "source", "operators", "sink", "checkpoint", "deadletter"} {
		public := publicOf(t, folder)
		require.NotEmpty(t, public, folder)
		for _, name := range public {
			if !named[name] {
				t.Errorf("docs/reference.md: `%s` is not in it", name)
			}
		}
	}
}

func TestEachPageOfDocsIsLinkedFromTheReadme(t *testing.T) {
	links := linksOf(pages(t, "README.md")[0])
	for _, p := range pages(t, "docs/*.md") {
		require.True(t, slices.Contains(links, p.path), "README.md has no link to %s", p.path)
	}
}

// publicOf are the functions that a package exports, and its kinds of errors, as pkg.Name.
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
					if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR {
						for _, id := range v.Names {
							add(id)
						}
					}
				}
			}
		}
	}
	return public
}
