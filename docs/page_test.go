package docs_test

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the module's folder. Paths of pages and files are relative to it, with slashes.
const root = ".."

// page is a page of Markdown.
type page struct {
	path   string
	prose  []string // its lines, with those of blocks left empty
	blocks []block
}

// block is a piece of a page between fences.
type block struct {
	language string
	line     int // of its first fence, from 1
	code     []string
}

// parse takes a page apart.
func parse(path, text string) page {
	p := page{path: path}
	var open *block
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(strings.ReplaceAll(strings.TrimSpace(line), "~~~", "```"), "```")
		switch {
		case isFence && open == nil:
			open = &block{language: fence, line: i + 1}
		case isFence:
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.code = append(open.code, line)
		default:
			p.prose = append(p.prose, line)
			continue
		}
		p.prose = append(p.prose, "")
	}
	if open != nil {
		p.blocks = append(p.blocks, *open)
	}
	return p
}

// pages reads the pages that match a pattern.
func pages(t *testing.T, patterns ...string) (all []page) {
	t.Helper()
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		require.NoError(t, err)
		require.NotEmpty(t, names, "no page is named %s", pattern)
		for _, name := range names {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			all = append(all, parse(path.Join(path.Dir(pattern), filepath.Base(name)), string(text)))
		}
	}
	return all
}
