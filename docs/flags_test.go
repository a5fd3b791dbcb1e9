package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEachFlagOfTheCommandThatThePagesNameIsThere(t *testing.T) {
	known := flagsOf(t)
	for _, name := range []string{"to", "dialect", "times", "max-candidates", "hosts", "target-tls-ca", "help"} {
		require.Contains(t, known, name)
	}
	named := 0
	for _, p := range pages(t, "README.md", "docs/*.md") {
		flags := flagsNamed(p)
		named += len(flags)
		for _, flag := range flags {
			if !slices.Contains(known, flag) && (flag != "demo" || p.path != "README.md") { // of examples/rollup
				t.Errorf("%s: rxcql has no flag --%s", p.path, flag)
			}
		}
	}
	require.Greater(t, named, 200, "the pages name flags in another way now")
}

// flagOfOurs is a word that is a flag. Those of DSBulk have dots in them.
var flagOfOurs = regexp.MustCompile(`^--([a-z][a-z-]*[a-z])(?:=.*|[,;:.)]?)$`)

// flagsNamed returns the flags that a page names: in backticks, and in lines that call rxcql.
func flagsNamed(p page) (flags []string) {
	find := func(text string) {
		for _, word := range strings.Fields(text) {
			if found := flagOfOurs.FindStringSubmatch(word); found != nil {
				flags = append(flags, found[1])
			}
		}
	}
	for _, span := range spansOf(p) {
		find(span)
	}
	lines := slices.Clone(p.prose)
	for _, b := range p.blocks {
		lines = append(lines, b.code...)
	}
	for _, line := range lines {
		if call, is := strings.CutPrefix(strings.TrimPrefix(strings.TrimSpace(line), "$ "), "rxcql "); is {
			call, _, _ = strings.Cut(call, " | ")
			find(call)
		}
	}
	return flags
}

// flagsOf reads the flags of the command from its source: names are given to functions that end in
// Var, or stand in the list of the settings of a connection, each of which has a form for one side.
func flagsOf(t *testing.T) (flags []string) {
	t.Helper()
	flags = []string{"help", "version"}
	for _, folder := range []string{"verbs", "connect"} {
		files, err := filepath.Glob(filepath.Join(root, "cmd", "rxcql", "internal", folder, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(parsed, func(n ast.Node) bool {
				flags = append(flags, declaredFlags(n)...)
				return true
			})
		}
	}
	return flags
}

func declaredFlags(n ast.Node) (flags []string) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if of, is := n.Fun.(*ast.SelectorExpr); is && strings.HasSuffix(of.Sel.Name, "Var") && len(n.Args) > 2 {
			if name := literal(n.Args[1]); name != "" {
				flags = append(flags, name)
			}
		}
	case *ast.ValueSpec:
		if len(n.Names) != 1 || n.Names[0].Name != "settings" || len(n.Values) != 1 {
			return nil
		}
		list, is := n.Values[0].(*ast.CompositeLit)
		if !is {
			return nil
		}
		for _, setting := range list.Elts {
			if of, is := setting.(*ast.CompositeLit); is && len(of.Elts) > 0 {
				name := literal(of.Elts[0])
				flags = append(flags, name, "source-"+name, "target-"+name)
			}
		}
	}
	return flags
}

// literal returns a text that stands in the source; "" for anything else.
func literal(e ast.Expr) string {
	if lit, is := e.(*ast.BasicLit); is && lit.Kind == token.STRING {
		if text, err := strconv.Unquote(lit.Value); err == nil {
			return text
		}
	}
	return ""
}

func TestFlagsAreFoundInPages(t *testing.T) {
	p := parse("p.md", strings.Join([]string{
		"Give `--to` and `rxcql copy --rename old=new, --drop`; or `--header=no`.",
		"| --schema.splits | `--splits` | `--log.checkpoint.file` | --not-in-backticks |",
		"", "    $ rxcql diff shop --out differences --pause 1s", "    other --flag", "```", "  rxcql load - --into shop | sort --unique", "```",
	}, "\n"))
	require.Equal(t, "[to rename drop header splits out pause into]", fmt.Sprint(flagsNamed(p)))
}
