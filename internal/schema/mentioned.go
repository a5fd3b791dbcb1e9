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
	for _, t := range tokens(cql) {
		if t.table != "" && !slices.Contains(names, t.table) {
			names = append(names, t.table)
		}
	}
	return names
}

// MentionsColumn reports whether a column's name is in a statement, wherever it stands but in the
// names of the tables: a JSON constant names columns too.
func MentionsColumn(cql, column string) bool {
	return slices.ContainsFunc(tokens(cql), func(t mention) bool {
		switch {
		case t.table != "":
			return false
		case strings.HasPrefix(t.text, "'") || strings.HasPrefix(t.text, "$$"):
			return strings.Contains(strings.ToLower(t.text), strings.ToLower(column))
		case strings.HasPrefix(t.text, `"`):
			return t.text == Quote(column)
		}
		return strings.ToLower(t.text) == column
	})
}

// mention is a token of a statement, or the whole name of a table: then both are the same.
type mention struct{ text, table string }

func tokens(cql string) (all []mention) {
	found := slices.DeleteFunc(token.FindAllString(cql, -1), func(t string) bool {
		return strings.HasPrefix(t, "--") || strings.HasPrefix(t, "//") || strings.HasPrefix(t, "/*")
	})
	for i := 0; i < len(found); i++ {
		all = append(all, mention{text: found[i]})
		switch strings.ToUpper(found[i]) {
		case "INTO", "UPDATE", "FROM":
		default:
			continue
		}
		if i++; i == len(found) {
			break
		}
		name := found[i]
		if i+2 < len(found) && found[i+1] == "." {
			name += "." + found[i+2]
			i += 2
		}
		all = append(all, mention{name, name})
	}
	return all
}
