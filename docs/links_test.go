package docs_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

func TestEachLinkOfThePagesLeadsSomewhere(t *testing.T) {
	found := 0
	for _, p := range pages(t, "*.md", "docs/*.md", "bench/*.md") {
		found += len(linksOf(p))
		for _, wrong := range deadLinks(p) {
			t.Error(wrong)
		}
	}
	require.NotZero(t, found, "no page has a link")
}

// Links stand in the text, as definitions ([name]: target), or in HTML.
var links = []*regexp.Regexp{
	regexp.MustCompile(`\]\(\s*<?([^()\s<>]+)>?(?:\s+"[^"]*")?\s*\)`),
	regexp.MustCompile(`(?m)^\s*\[[^\]]+\]:\s*(\S+)`),
	regexp.MustCompile(`(?:href|src)="([^"]+)"`),
}

func linksOf(p page) (targets []string) {
	text := strings.Join(p.prose, "\n")
	for _, form := range links {
		for _, found := range form.FindAllStringSubmatch(text, -1) {
			targets = append(targets, found[1])
		}
	}
	return targets
}

// deadLinks are the links of a page to files, folders and headings that are not there. Those
// that leave the module are not followed.
func deadLinks(p page) (dead []string) {
	for _, target := range linksOf(p) {
		if strings.Contains(target, "://") {
			continue
		}
		name, anchor, _ := strings.Cut(target, "#")
		to := p
		if name != "" {
			file := path.Join(path.Dir(p.path), name)
			text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
			if info, there := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil && (there != nil || !info.IsDir()) {
				dead = append(dead, fmt.Sprintf("%s: the link %s leads to %s, which is not there", p.path, target, file))
				continue
			}
			to = parse(file, string(text))
		}
		if anchor != "" && !anchorsOf(to)[anchor] {
			dead = append(dead, fmt.Sprintf("%s: the link %s leads to a heading that %s has not", p.path, target, to.path))
		}
	}
	return dead
}

// anchorsOf are the anchors that GitHub makes of a page's headings.
func anchorsOf(p page) map[string]bool {
	anchors := map[string]bool{}
	for _, line := range p.prose {
		level := len(line) - len(strings.TrimLeft(line, "#"))
		text, isHeading := strings.CutPrefix(line[level:], " ")
		if level == 0 || level > 6 || !isHeading {
			continue
		}
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(text))
		unique := anchor
		for n := 1; anchors[unique]; n++ {
			unique = fmt.Sprintf("%s-%d", anchor, n)
		}
		anchors[unique] = true
	}
	return anchors
}

func TestALinkThatLeadsNowhereIsFound(t *testing.T) {
	for target, isDead := range map[string]bool{
		"../README.md":              false,
		"../examples":               false,
		"https://example.com/x":     false,
		"#a-heading-withcode-twice": false,
		"../DESIGN.md#design":       false,
		"../NOTHERE.md":             true,
		"../DESIGN.md#not-there":    true,
		"#not-there":                true,
		"README.md":                 true, // relative to the page's folder
	} {
		for _, form := range []string{"See [this](%s).", "See [this](%s \"title\").", "[this]: %s", "<a href=\"%s\">this</a>"} {
			p := parse("docs/p.md", "# A heading: `with.code`, twice\n\n"+fmt.Sprintf(form, target)+"\n")
			require.Equal(t, isDead, len(deadLinks(p)) == 1, p.prose)
		}
	}
}
