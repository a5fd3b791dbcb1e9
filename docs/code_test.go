package docs_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// file is a file of Go that blocks may stand in.
type file struct {
	path   string
	lines  []string // without their indentation
	hidden map[int]bool
	decls  []decl
	run    map[string]bool // the declarations of its package that a test runs
}

// decl is a declaration at the top of a file.
type decl struct {
	names       []string
	first, last int // lines, from 1
	root        bool
	uses        []string
}

// idle says why no test runs the lines from first to last; "" if one does.
func (f file) idle(first, last int) string {
	for line := first; line <= last; line++ {
		if f.hidden[line] {
			return "is in a comment or a text there"
		}
	}
	inside := false
	for _, d := range f.decls {
		if d.first > last || d.last < first {
			continue
		}
		inside = true
		if !slices.ContainsFunc(d.names, func(name string) bool { return f.run[name] }) {
			return "no test runs " + strings.Join(d.names, ", ")
		}
	}
	if !inside {
		return "is outside of every declaration there"
	}
	return ""
}

// Tests on a real server have a keyspace of their own for each run, and the variable weather
// has its name. The pages call it weather.
var (
	keyspaceWithin = regexp.MustCompile(`" ?\+ ?weather ?\+ ?"`)
	keyspaceFirst  = regexp.MustCompile(`\bweather ?\+ ?"`)
)

// asShown is a line of code as the pages have it: "weather.x" for weather+".x".
func asShown(line string) string {
	line = keyspaceWithin.ReplaceAllString(line, "weather")
	return keyspaceFirst.ReplaceAllString(line, `"weather`)
}

// parseFile reads a file that is a package of its own.
func parseFile(path, text string) file {
	f := readFile(path, text)
	f.run = reached(f.decls)
	return f
}

func readFile(path, text string) file {
	f := file{path: path, hidden: map[int]bool{}}
	for _, line := range strings.Split(text, "\n") {
		f.lines = append(f.lines, asShown(strings.TrimSpace(line)))
	}
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, path, text, parser.ParseComments)
	if err != nil {
		panic(err) // it would not compile either
	}
	var s scanner.Scanner
	lines := token.NewFileSet()
	s.Init(lines.AddFile(path, -1, len(text)), []byte(text), nil, scanner.ScanComments)
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			break
		}
		if over := strings.Count(literal, "\n"); over > 0 && (tok == token.COMMENT || tok == token.STRING) {
			first := lines.Position(pos).Line
			for line := first; line <= first+over; line++ {
				f.hidden[line] = true
			}
		}
	}
	silent := map[string]bool{}
	for _, e := range doc.Examples(parsed) {
		silent["Example"+e.Name] = e.Output == "" && !e.EmptyOutput
	}
	for _, d := range parsed.Decls {
		made := newDecl(set, d)
		made.root = isRoot(path, d) && !silent[made.names[0]]
		f.decls = append(f.decls, made)
	}
	return f
}

func newDecl(set *token.FileSet, d ast.Decl) decl {
	made := decl{first: set.Position(d.Pos()).Line, last: set.Position(d.End()).Line}
	switch d := d.(type) {
	case *ast.FuncDecl:
		made.names = []string{d.Name.Name}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				made.names = append(made.names, spec.Name.Name)
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					made.names = append(made.names, name.Name)
				}
			case *ast.ImportSpec:
				made.names = append(made.names, "import")
			}
		}
	}
	ast.Inspect(d, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			made.uses = append(made.uses, id.Name)
		}
		return true
	})
	return made
}

// isRoot reports whether something is run without being called: a test, an example, or the
// main of a program. Imports are there for all.
func isRoot(path string, d ast.Decl) bool {
	f, isFunc := d.(*ast.FuncDecl)
	if !isFunc {
		return d.(*ast.GenDecl).Tok == token.IMPORT
	}
	if !strings.HasSuffix(path, "_test.go") {
		return f.Name.Name == "main"
	}
	return strings.HasPrefix(f.Name.Name, "Test") || strings.HasPrefix(f.Name.Name, "Example")
}

// reached are the names of the declarations that the roots lead to.
func reached(decls []decl) map[string]bool {
	all := map[string]bool{}
	var walk func(d decl)
	walk = func(d decl) {
		for _, name := range d.names {
			all[name] = true
		}
		for _, other := range decls {
			if !slices.ContainsFunc(other.names, func(name string) bool { return all[name] }) &&
				slices.ContainsFunc(other.names, func(name string) bool { return slices.Contains(d.uses, name) }) {
				walk(other)
			}
		}
	}
	for _, d := range decls {
		if d.root {
			walk(d)
		}
	}
	return all
}

// runCode is the code that pages show: tests of this folder and of integration/docs, and the
// programs of examples, each of which a test has to start.
func runCode(t *testing.T) (code []file) {
	t.Helper()
	folders := []string{"docs", "integration/docs"}
	entries, err := os.ReadDir(filepath.Join(root, "examples"))
	require.NoError(t, err)
	tests := testsOfTheModule(t)
	for _, e := range entries {
		folder := path.Join("examples", e.Name())
		if e.IsDir() && strings.Contains(tests, folder) {
			folders = append(folders, folder)
		}
	}
	for _, folder := range folders {
		names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*.go"))
		require.NoError(t, err)
		var decls []decl
		from := len(code)
		for _, name := range names {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			f := readFile(path.Join(folder, filepath.Base(name)), string(text))
			code, decls = append(code, f), append(decls, f.decls...)
		}
		for i := range code[from:] {
			code[from+i].run = reached(decls)
		}
	}
	return code
}

// testsOfTheModule is the text of all tests on a real server.
func testsOfTheModule(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	require.NoError(t, filepath.WalkDir(filepath.Join(root, "integration"), func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		all.Write(text)
		return err
	}))
	return all.String()
}
