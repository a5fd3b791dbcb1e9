package docs_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// odd matches words that comments and pages do without: write "reports whether", "remedy" or
// "fix", "next to" or "in addition to", and "except".
var odd = regexp.MustCompile(`(?i)\b(tells?\s+whether|mend(s|ed|ing)?|beside|but\s+for)\b`)

const maxColumns = 100

func TestCommentsAreInPlainEnglishAndOfAtMostOneHundredColumns(t *testing.T) {
	files := 0
	require.NoError(t, filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files++
		for _, wrong := range wrongComments(t, name, string(text)) {
			t.Error(wrong)
		}
		return nil
	}))
	require.NotZero(t, files)
}

func TestPagesAreInPlainEnglish(t *testing.T) {
	for _, p := range pages(t, "*.md", "docs/*.md", "bench/*.md") {
		for i, line := range p.prose {
			require.Empty(t, odd.FindString(line), "%s:%d", p.path, i+1)
		}
	}
}

func TestAWrongCommentIsFound(t *testing.T) {
	long := "// " + strings.Repeat("long ", 20) + "\n"
	for text, wrong := range map[string]int{
		"// F reports whether.\nfunc F() {}\n":                                0,
		"// F tells\n// whether.\nfunc F() {}\n":                              1,
		"func F() {} // mends it\n":                                           1,
		"// F, but for G.\n\nfunc F() {} // Beside it.\n":                     2,
		"var amend = \"mend\" // recommended\n":                               0,
		long + "func F() {}\n":                                                1,
		"func F() {\n\t" + long + "}\n":                                       1,
		"func F() " + strings.Repeat(" ", 90) + "{} // of a long line\n":      0,
		"func ExampleF() {\n\tF()\n\t// Output:\n\t" + long + "}\n":           0,
		"// " + strings.Repeat("—", maxColumns-3) + "\nfunc F() {}\n":         0,
		"// " + strings.Repeat("—", maxColumns-3) + "—\nfunc F() { _ = 1 }\n": 1,
	} {
		require.Len(t, wrongComments(t, "f.go", "package p\n\n"+text), wrong, text)
	}
	require.Empty(t, wrongComments(t, "f_test.go", "package p\n\n// mend\n"), "tests may say what they like")
}

// wrongComments returns the places of odd words, and of lines that are too long. What an example
// prints is not ours to break.
func wrongComments(t *testing.T, name, text string) (wrong []string) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.ParseComments)
	require.NoError(t, err)
	for _, group := range file.Comments {
		at := files.Position(group.Pos())
		if found := odd.FindString(group.Text()); found != "" && !strings.HasSuffix(name, "_test.go") {
			wrong = append(wrong, at.String()+": "+found)
		}
		if strings.HasPrefix(strings.ToLower(group.Text()), "output:") {
			continue
		}
		for _, line := range strings.Split(text, "\n")[at.Line-1 : files.Position(group.End()).Line] {
			if strings.HasPrefix(strings.TrimSpace(line), "//") && utf8.RuneCountInString(line) > maxColumns {
				wrong = append(wrong, at.String()+": a line of more than 100 columns: "+strings.TrimSpace(line))
			}
		}
	}
	return wrong
}
