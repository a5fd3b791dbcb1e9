// Command compiles reports whether all packages of a module and their tests would compile on other
// systems. It checks types from the sources, so that nothing need be compiled for those systems:
// go vet would compile all that is imported.
package main

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	dir := flag.String("dir", ".", "`folder` of the module")
	flag.Parse()
	ok := true
	for _, system := range flag.Args() {
		count, err := check(*dir, system)
		fmt.Printf("%s: %d packages\n", system, count)
		if err != nil {
			fmt.Println(err)
			ok = false
		}
	}
	if !ok {
		os.Exit(1)
	}
}

// check returns how many packages the module has on a system, tests included, and what is wrong.
func check(dir, system string) (int, error) {
	module, err := filepath.Abs(dir)
	if err != nil {
		return 0, err
	}
	all, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedTypes | packages.NeedTypesSizes,
		Dir:   module,
		Env:   append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0"),
		Tests: true,
		ParseFile: func(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
			file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
			if file != nil && !strings.HasPrefix(name, module+string(filepath.Separator)) {
				withoutBodies(file)
			}
			return file, err
		},
	}, "./...")
	if err != nil {
		return 0, err
	}
	var wrong []string
	count := 0
	for _, p := range all {
		if strings.HasSuffix(p.ID, ".test") { // the main package that go test makes
			continue
		}
		count++
		for _, e := range p.Errors {
			wrong = append(wrong, e.Error())
		}
	}
	if len(wrong) > 0 {
		return count, errors.New(strings.Join(wrong, "\n"))
	}
	return count, nil
}

// withoutBodies empties the functions of a file: those that call them need not know what they do.
func withoutBodies(file *ast.File) {
	for _, d := range file.Decls {
		if fn, isFunc := d.(*ast.FuncDecl); isFunc && fn.Body != nil {
			call := &ast.CallExpr{Fun: ast.NewIdent("panic"), Args: []ast.Expr{&ast.BasicLit{Kind: token.INT, Value: "0"}}}
			fn.Body = &ast.BlockStmt{Lbrace: fn.Body.Lbrace, List: []ast.Stmt{&ast.ExprStmt{X: call}}, Rbrace: fn.Body.Rbrace}
		}
	}
}
