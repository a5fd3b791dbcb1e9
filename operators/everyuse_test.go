package operators_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryOperatorIsTriedWithWatermarks(t *testing.T) {
	tried := map[string]bool{}
	for _, v := range uses() {
		tried[v.operator] = true
	}
	found := operatorsOf(t)
	require.Contains(t, found, "Map")
	for _, name := range found {
		require.True(t, tried[name], "add %s to uses", name)
	}
}

// operatorsOf are the exported functions of the package that return a stream.
func operatorsOf(t *testing.T) (names []string) {
	t.Helper()
	files, err := fs.Glob(os.DirFS("."), "*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			if fn, is := decl.(*ast.FuncDecl); is && fn.Recv == nil && fn.Name.IsExported() && givesStream(fn) {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}

func givesStream(fn *ast.FuncDecl) bool {
	if fn.Type.Results == nil {
		return false
	}
	return slices.ContainsFunc(fn.Type.Results.List, func(result *ast.Field) bool {
		index, is := result.Type.(*ast.IndexExpr)
		if !is {
			return false
		}
		of, is := index.X.(*ast.SelectorExpr)
		return is && of.Sel.Name == "Stream"
	})
}
