package cqlfake

import (
	"regexp"
	"strings"
)

// tokenKind says what a token of CQL is.
type tokenKind uint8

const (
	atEnd  tokenKind = iota
	word             // a keyword or a name without quotes, in lower case
	quoted           // a name in quotes, without them
	text             // a constant in quotes, without them
	number           // with its sign
	blob             // 0x…
	uuid             // without quotes
	sign             // anything else, such as ? or >=
)

type token struct {
	kind tokenKind
	text string
}

// tokens are tried in this order. Each begins where the one before it ended.
var tokens = []struct {
	kind    tokenKind
	pattern *regexp.Regexp
}{
	{atEnd, regexp.MustCompile(`^(?s:\s+|/\*.*?\*/|--[^\n]*|//[^\n]*)`)}, // space and comments, which are left out
	{uuid, regexp.MustCompile(`^(?i:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})`)},
	{blob, regexp.MustCompile(`^0[xX][0-9a-fA-F]*`)},
	{number, regexp.MustCompile(`^-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?`)},
	{word, regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*`)},
	{quoted, regexp.MustCompile(`^"([^"]|"")+"`)},
	{text, regexp.MustCompile(`^(?s:'([^']|'')*')`)},
	{sign, regexp.MustCompile(`^(<=|>=|!=|[][(){}<>=,.;:?*+-])`)},
}

// lex splits a statement into its tokens.
func lex(cql string) []token {
	var all []token
	for rest := cql; rest != ""; {
		kind, found := atEnd, ""
		for _, t := range tokens {
			if found = t.pattern.FindString(rest); found != "" {
				kind = t.kind
				break
			}
		}
		if found == "" && strings.Contains("$/%", rest[:1]) {
			refuse(unknown("the sign %s: strings in $$, and values that are computed by the server", rest[:1]))
		}
		if found == "" {
			refuse(syntaxError("no viable alternative at input %q", rest[:1]))
		}
		rest = rest[len(found):]
		switch kind {
		case atEnd:
			continue
		case word:
			found = strings.ToLower(found)
		case quoted:
			found = strings.ReplaceAll(found[1:len(found)-1], `""`, `"`)
		case text:
			found = strings.ReplaceAll(found[1:len(found)-1], `''`, `'`)
		}
		all = append(all, token{kind, found})
	}
	return all
}
