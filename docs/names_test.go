package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEachNameInBackticksOfThePagesIsThere(t *testing.T) {
	known := namesOf(t)
	names := 0
	for _, p := range pages(t, "README.md", "DESIGN.md", "docs/*.md") {
		names += len(spansOf(p))
		for _, wrong := range unknownNames(p, known) {
			t.Error(wrong)
		}
	}
	require.NotZero(t, names, "no page has a name in backticks")
}

var (
	span      = regexp.MustCompile("`([^`]+)`")
	qualified = regexp.MustCompile(`(?:^|[^\w./"])([a-z]\w*)\.([A-Za-z]\w*)(?:\.([A-Za-z]\w*))?`)
	bare      = regexp.MustCompile(`^([A-Z]\w*[a-z]\w*)(?:\.([A-Z]\w*))?(?:\[\w+\])?(?:\(.*\))?$`)
	testName  = regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Example|Fuzz)\w*)\(`)
	fileName  = regexp.MustCompile(`^[\w./-]+\.(go|md|yml)$`)
)

func spansOf(p page) (spans []string) {
	for _, found := range span.FindAllStringSubmatch(strings.Join(p.prose, "\n"), -1) {
		spans = append(spans, strings.Join(strings.Fields(found[1]), " "))
	}
	return spans
}

// names are what the module declares and has.
type names struct {
	packages map[string]map[string]bool // by the package's name: Name, Type.Method, Type.Field
	anywhere map[string]bool            // the same without their package
	types    map[string]bool            // of these, types
	files    map[string]bool            // paths, and names of files alone
}

// unknownNames are the names in backticks that the module does not have: pkg.Name of its
// packages, type.name of its types, the Name of something that is exported, and files.
func unknownNames(p page, known names) (wrong []string) {
	say := func(span, what string) {
		wrong = append(wrong, fmt.Sprintf("%s: `%s`: %s", p.path, span, what))
	}
	for _, span := range spansOf(p) {
		if fileName.MatchString(span) {
			if !known.files[span] && !known.files[path.Join(path.Dir(p.path), span)] {
				say(span, "there is no such file")
			}
			continue
		}
		for _, found := range qualified.FindAllStringSubmatch(span, -1) {
			declared, isOurs := known.packages[found[1]]
			name := strings.TrimSuffix(found[2]+"."+found[3], ".")
			switch {
			case isOurs && !declared[name]:
				say(span, fmt.Sprintf("package %s has no %s", found[1], name))
			case !isOurs && known.types[found[1]] && !known.anywhere[found[1]+"."+found[2]]:
				say(span, fmt.Sprintf("no type %s has %s", found[1], found[2]))
			}
		}
		if found := bare.FindStringSubmatch(span); found != nil {
			if name := strings.TrimSuffix(found[1]+"."+found[2], "."); !known.anywhere[name] && !elsewhere[name] {
				say(span, "nothing is named "+name)
			}
		}
	}
	return wrong
}

// elsewhere are names of other modules that the pages have.
var elsewhere = map[string]bool{
	"ClusterConfig": true, // gocql
	"WithContext":   true, // rxgo
}

// namesOf reads the names of the module's packages. Programs and benchmarks are no packages.
func namesOf(t *testing.T) names {
	t.Helper()
	known := names{packages: map[string]map[string]bool{}, anywhere: map[string]bool{}, types: map[string]bool{}, files: map[string]bool{}}
	require.NoError(t, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		relative, err := filepath.Rel(root, name)
		if err != nil || d.IsDir() {
			return err
		}
		relative = filepath.ToSlash(relative)
		known.files[relative], known.files[path.Base(relative)] = true, true
		if !strings.HasSuffix(name, ".go") || strings.HasPrefix(relative, "bench/") || strings.HasPrefix(relative, "examples/") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if strings.HasSuffix(name, "_test.go") {
			for _, found := range testName.FindAllSubmatch(text, -1) {
				known.anywhere[string(found[1])] = true
			}
			return nil
		}
		return known.add(relative, text)
	}))
	return known
}

func (n names) add(name string, text []byte) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	in := n.packages[parsed.Name.Name]
	if in == nil {
		in = map[string]bool{}
		n.packages[parsed.Name.Name] = in
	}
	add := func(parts ...string) {
		in[strings.Join(parts, ".")] = true
		n.anywhere[strings.Join(parts, ".")] = true
		n.anywhere[parts[len(parts)-1]] = true
	}
	for _, d := range parsed.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				add(d.Name.Name)
			} else {
				add(receiver(d.Recv.List[0].Type), d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(spec.Name.Name)
					n.types[spec.Name.Name] = true
					for _, field := range members(spec.Type) {
						add(spec.Name.Name, field)
					}
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						add(id.Name)
					}
				}
			}
		}
	}
	return nil
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// members are the fields of a struct, or the methods of an interface.
func members(e ast.Expr) (all []string) {
	var list *ast.FieldList
	switch e := e.(type) {
	case *ast.StructType:
		list = e.Fields
	case *ast.InterfaceType:
		list = e.Methods
	default:
		return nil
	}
	for _, field := range list.List {
		for _, id := range field.Names {
			all = append(all, id.Name)
		}
	}
	return all
}

func TestANameThatIsNotThereIsFound(t *testing.T) {
	known := namesOf(t)
	for span, isWrong := range map[string]bool{
		"source.Table":                       false,
		"source.Table[Flight](session, x)":   false,
		"rxcql.Report.EndedBy":               false,
		"Report.EndedBy":                     false,
		"sink.Table(a, sink.InFlight(1))":    false,
		"WithBudget":                         false,
		"driver.Encoding":                    false,
		"tableWriter.write":                  false,
		"tableWriter.rite":                   true,
		"sink/flight.go":                    false,
		"limiter.go":                         false,
		"errors.Is":                          false, // of another module
		"LIMIT":                              false,
		"source.Tabel":                       true,
		"rxcql.Report.EndedFor":              true,
		"Report.EndedFor":                    true,
		"sink.Table(a, sink.InTheFlight(1))": true,
		"WithBudgets":                        true,
		"sink/limit.go":                      true,
	} {
		wrong := unknownNames(parse("docs/p.md", "It is `"+span+"`.\n"), known)
		require.Equal(t, isWrong, len(wrong) == 1, "%s: %v", span, wrong)
	}
}
