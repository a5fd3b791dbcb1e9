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

const (
	digits  = "0123456789"
	atoF    = "abcdefABCDEF"
	letters = atoF + "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ"
)

// tokens are tried in this order, if they may begin with the next byte. Each begins where the one
// before it ended.
var tokens = []struct {
	kind    tokenKind
	begins  string
	pattern *regexp.Regexp
}{
	// Space and comments are left out.
	{atEnd, " \t\r\n\f/-", regexp.MustCompile(`^(?s:\s+|/\*.*?\*/|--[^\n]*|//[^\n]*)`)},
	{uuid, digits + atoF, regexp.MustCompile(`^(?i:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})`)},
	{blob, "0", regexp.MustCompile(`^0[xX][0-9a-fA-F]*`)},
	{number, "-" + digits, regexp.MustCompile(`^-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?`)},
	{word, letters, regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*`)},
	{quoted, `"`, regexp.MustCompile(`^"([^"]|"")+"`)},
	{text, "'", regexp.MustCompile(`^(?s:'([^']|'')*')`)},
	{sign, "<>!=[](){}.,;:?*+-", regexp.MustCompile(`^(<=|>=|!=|[][(){}<>=,.;:?*+-])`)},
}

// lex splits a statement into its tokens.
func lex(cql string) []token {
	var all []token
	for rest := cql; rest != ""; {
		kind, found := atEnd, ""
		for _, t := range tokens {
			if strings.IndexByte(t.begins, rest[0]) < 0 {
				continue
			}
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
