// Package schema knows what the cluster's system tables say of a table: its
// columns with their full types, its keys, and how to name it safely.
package schema

import (
	"errors"
	"fmt"
	"strings"
)

// ErrName says that a table's name could not be read; the error around it has the remedy.
var ErrName = errors.New("not a table name")

// ParseName reads the name of a table with its keyspace, as CQL does: a part
// without quotes is folded to lower case, one in double quotes keeps its exact
// letters, and a quote inside is doubled. So `shop.Orders` is the table
// orders, and `shop."Orders"` is Orders. Reserved words need no quotes here.
func ParseName(s string) (keyspace, table string, err error) {
	keyspace, rest, err := part(s, "keyspace")
	if err != nil {
		return "", "", fmt.Errorf("%w: %q: %w", ErrName, s, err)
	}
	if rest == "" {
		return "", "", fmt.Errorf("%w: %q: the keyspace is missing; write keyspace.table", ErrName, s)
	}
	if rest[0] != '.' {
		return "", "", fmt.Errorf("%w: %q: %s", ErrName, s, strange(rest))
	}
	table, rest, err = part(rest[1:], "table")
	if err != nil {
		return "", "", fmt.Errorf("%w: %q: %w", ErrName, s, err)
	}
	switch {
	case strings.HasPrefix(rest, "."):
		return "", "", fmt.Errorf("%w: %q: it has more than two parts; write keyspace.table, "+
			"and put a part that holds a dot in double quotes", ErrName, s)
	case rest != "":
		return "", "", fmt.Errorf("%w: %q: %s", ErrName, s, strange(rest))
	}
	return keyspace, table, nil
}

// part reads one part of a name and returns what follows it.
func part(s, what string) (name, rest string, err error) {
	if strings.HasPrefix(s, `"`) {
		return quoted(s, what)
	}
	n := 0
	for n < len(s) && plainByte(s[n]) {
		n++
	}
	switch {
	case n == 0 && (s == "" || s[0] == '.'):
		return "", "", fmt.Errorf("the %s is missing; write keyspace.table", what)
	case n == 0:
		return "", "", errors.New(strange(s))
	case !letter(s[0]):
		return "", "", fmt.Errorf("the %s begins with %q; put it in double quotes", what, s[0])
	}
	return strings.ToLower(s[:n]), s[n:], nil
}

func quoted(s, what string) (name, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] == '"' {
			if i+1 == len(s) || s[i+1] != '"' {
				if b.Len() == 0 {
					return "", "", fmt.Errorf("the %s is empty; write keyspace.table", what)
				}
				return b.String(), s[i+1:], nil
			}
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", fmt.Errorf("the closing quote of the %s is missing; add \" after it", what)
}

func strange(rest string) string {
	return fmt.Sprintf("%q is not allowed there; put a part with anything but letters, digits "+
		"and _ in double quotes", []rune(rest)[0])
}

func plainByte(c byte) bool { return letter(c) || '0' <= c && c <= '9' || c == '_' }

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// Quote makes an identifier of any text: always in double quotes, with quotes
// inside doubled. What it returns means exactly ident and nothing else.
func Quote(ident string) string {
	return `"` + strings.ReplaceAll(ident, `"`, `""`) + `"`
}

// Spell writes an exact name as ParseName reads it: in double quotes only where it
// would be taken for another one without.
func Spell(ident string) string {
	if name, rest, err := part(ident, ""); err == nil && rest == "" && name == ident {
		return ident
	}
	return Quote(ident)
}
