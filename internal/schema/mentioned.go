package schema

import (
	"regexp"
	"slices"
	"strings"
)

// token finds what CQL is made of, as far as that tells where a table's name stands:
// constants, comments, names in quotes, words, and any other character.
var token = regexp.MustCompile(`(?s)'(?:[^']|'')*'|\$\$.*?\$\$|(?:--|//)[^\r\n]*|/\*.*?\*/|"(?:[^"]|"")*"|[A-Za-z][A-Za-z0-9_]*|\S`)

// Mentioned finds the tables that a statement is about, all those of a batch, as their
// names stand in it: with a keyspace or without. The statement must be one that a server
// takes. The words before a table's name are reserved, so nothing else in it reads alike.
func Mentioned(cql string) (names []string) {
	tokens := slices.DeleteFunc(token.FindAllString(cql, -1), func(t string) bool {
		return strings.HasPrefix(t, "--") || strings.HasPrefix(t, "//") || strings.HasPrefix(t, "/*")
	})
	for i, t := range tokens {
		switch strings.ToUpper(t) {
		case "INTO", "UPDATE", "FROM":
		default:
			continue
		}
		name := strings.Join(tokens[min(i+1, len(tokens)):min(i+2, len(tokens))], "")
		if i+3 < len(tokens) && tokens[i+2] == "." {
			name += "." + tokens[i+3]
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// MentionsColumn reports whether a column's name is a word of a statement, wherever it stands.
func MentionsColumn(cql, column string) bool {
	const edge = `([^\pL\pN_]|^|$)`
	return regexp.MustCompile(`(?i)` + edge + regexp.QuoteMeta(strings.ReplaceAll(column, `"`, `""`)) + edge).MatchString(cql)
}
