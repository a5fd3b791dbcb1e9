package docs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// languages are those that a block may be in. A block without one could be Go that nothing
// checks.
var languages = []string{"go", "sh", "sql", "text", "json", "csv"}

func TestEachGoBlockOfThePagesStandsInCodeThatATestRuns(t *testing.T) {
	code := runCode(t)
	blocks := 0
	for _, p := range pages(t, "README.md", "DESIGN.md", "docs/*.md") {
		for _, wrong := range wrongBlocks(p, code) {
			t.Error(wrong)
		}
		for _, b := range p.blocks {
			if b.language == "go" {
				blocks++
			}
		}
	}
	require.NotZero(t, blocks, "no page has a block")
}

// wrongBlocks are the blocks of a page that no test runs, and why.
func wrongBlocks(p page, code []file) (wrong []string) {
	for _, b := range p.blocks {
		switch {
		case !slices.Contains(languages, b.language):
			wrong = append(wrong, fmt.Sprintf("%s:%d: a block in the language %q, which must be one of %s", p.path, b.line, b.language, strings.Join(languages, ", ")))
		case b.language == "go":
			if why := notRun(b, code); why != "" {
				wrong = append(wrong, fmt.Sprintf("%s:%d: %s", p.path, b.line, why))
			}
		}
	}
	return wrong
}

// notRun says why no test runs a block; "" if one does.
func notRun(b block, code []file) string {
	want := make([]string, len(b.code))
	for i, line := range b.code {
		want[i] = strings.TrimSpace(line)
	}
	if strings.Join(want, "") == "" {
		return "an empty block"
	}
	why := "the block stands in no Go file of docs, integration/docs or examples"
	for _, f := range code {
		for at := range f.lines {
			if at+len(want) > len(f.lines) || !slices.Equal(f.lines[at:at+len(want)], want) {
				continue
			}
			idle := f.idle(at+1, at+len(want))
			if idle == "" {
				return ""
			}
			why = fmt.Sprintf("the block stands in %s:%d, but %s", f.path, at+1, idle)
		}
	}
	return why
}

const oneFile = `package x_test

import "testing"

func TestIt(t *testing.T) { used() }

func used() {
	a := 1 // one
	_ = a
	table(weather+".t", "SELECT a FROM "+weather+".t WHERE k = ?", other+".t")
}

func unused() { println("unused") }

func ExampleSilent() {
	println("silent")
}

func ExampleLoud() {
	println("loud")
	// Output:
	// loud
}

/*
	println("a comment")
*/

var raw = ` + "`" + `
	println("raw")
` + "`" + `
`

func TestABlockThatNoTestRunsIsFound(t *testing.T) {
	code := []file{parseFile("docs/x_test.go", oneFile)}
	for name, c := range map[string]struct{ block, wrong string }{
		"a block that stands there, in another indentation": {"  a := 1 // one\n_ = a", ""},
		"a block of an Example with output":                 {`println("loud")`, ""},
		"a block with the name of the keyspace":             {`table("weather.t", "SELECT a FROM weather.t WHERE k = ?", other+".t")`, ""},
		"a block with another keyspace":                     {`table("weather.t", "SELECT a FROM weather.t WHERE k = ?", "other.t")`, "stands in no Go file"},
		"a block that stands nowhere":                       {"a := 2", "stands in no Go file"},
		"a block with another comment":                      {"a := 1 // two", "stands in no Go file"},
		"a block of a function that no test calls":          {`func unused() { println("unused") }`, "no test runs unused"},
		"a block of an Example without output":              {`println("silent")`, "no test runs ExampleSilent"},
		"a block that is a comment":                         {`println("a comment")`, "is in a comment or a text"},
		"a block that is a text":                            {`println("raw")`, "is in a comment or a text"},
		"an empty block":                                    {"", "an empty block"},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := wrongBlocks(parse("p.md", "Text.\n\n```go\n"+c.block+"\n```\n"), code)
			if c.wrong == "" {
				require.Empty(t, wrong)
				return
			}
			require.Len(t, wrong, 1)
			require.Contains(t, wrong[0], "p.md:3: ")
			require.Contains(t, wrong[0], c.wrong)
		})
	}
	require.Len(t, wrongBlocks(parse("p.md", "```\na := 1 // one\n```\n"), code), 1, "a block without a language")
	require.Len(t, wrongBlocks(parse("p.md", "```go\na := 2\n"), code), 1, "a block that is not closed")
	require.Len(t, wrongBlocks(parse("p.md", "~~~go\na := 2\n~~~\n"), code), 1, "a block between tildes")
}
