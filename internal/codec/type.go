package codec

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Type is a CQL type as a tree. A Type is not changed after it is made, so parts of it may be
// shared.
type Type struct {
	Kind Kind
	// Elems holds the parameters: one for a list, set or vector, key and value for a map, all
	// elements for a tuple.
	Elems []*Type
	// Fields are those of a user-defined type, in its order.
	Fields []Field
	// Keyspace and Name are those of a user-defined type; for Custom, Name is the Java class with
	// its parameters.
	Keyspace, Name string
	// Dim is the number of elements of a vector.
	Dim int
	// Frozen says that the value is written as a whole. Tuples always are.
	Frozen bool
}

// Field is one field of a user-defined type.
type Field struct {
	Name string
	Type *Type
}

// Column is one column of a statement's result or one of its bound values, under the server's name
// for it (no quotes).
type Column struct {
	Name string
	Type *Type
}

// Distinct refuses columns of which two have one name, since rows are read and written by names.
func Distinct(cols []Column) error {
	seen := make(map[string]bool, len(cols))
	for _, c := range cols {
		if seen[c.Name] {
			return fmt.Errorf("two columns are named %q: give one of them another name with AS, or name it once", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

// String spells the type as system_schema.columns.type does, e.g. frozen<map<text, int>>. A
// user-defined type is named without its keyspace.
func (t *Type) String() string {
	var b strings.Builder
	t.spell(&b)
	return b.String()
}

func (t *Type) spell(b *strings.Builder) {
	if t == nil {
		b.WriteString("unknown")
		return
	}
	if t.Frozen && t.multicell() {
		b.WriteString("frozen<")
		defer b.WriteByte('>')
	}
	switch t.Kind {
	case UDT:
		b.WriteString(quoteName(t.Name))
	case Custom:
		b.WriteByte('\'')
		b.WriteString(strings.ReplaceAll(t.Name, "'", "''"))
		b.WriteByte('\'')
	case List, Set, Map, Tuple, Vector:
		b.WriteString(kinds[t.Kind].cql)
		b.WriteByte('<')
		for i, e := range t.Elems {
			if i > 0 {
				b.WriteString(", ")
			}
			e.spell(b)
		}
		if t.Kind == Vector {
			b.WriteString(", ")
			b.WriteString(strconv.Itoa(t.Dim))
		}
		b.WriteByte('>')
	default:
		b.WriteString(t.Kind.String())
	}
}

// multicell reports whether frozen has a meaning for the kind.
func (t *Type) multicell() bool {
	switch t.Kind {
	case List, Set, Map, Tuple, UDT:
		return true
	}
	return false
}

// frozen gives the type in its frozen form, leaving the receiver as it is since it may be shared.
func (t *Type) frozen() *Type {
	if t.Frozen || !t.multicell() {
		return t
	}
	f := *t
	f.Frozen = true
	return &f
}

// PackedLen is the length of a value inside a vector when it is written without a length before it,
// else 0.
func (t *Type) PackedLen() int {
	if t.Kind == Vector {
		return manyLen(t.Dim, t.Elems[0].PackedLen())
	}
	return kinds[t.Kind].packed
}

// manyLen is the length of n values of a length. No value is longer than an int32 tells, so that a
// sum past it is as good as any other and cannot overflow.
func manyLen(n, length int) int {
	return int(min(int64(n)*int64(length), math.MaxInt32))
}

// quoteName puts a name in double quotes where CQL would otherwise read another one.
func quoteName(name string) string {
	plain := name != "" && name[0] >= 'a' && name[0] <= 'z'
	for i := 0; plain && i < len(name); i++ {
		c := name[i]
		plain = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_'
	}
	if _, native := kindsByName[name]; plain && !native && !reservedNames[name] {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// reservedNames are the words that have a meaning of their own where a type is named.
var reservedNames = map[string]bool{
	"frozen": true, "list": true, "set": true, "map": true, "tuple": true, "vector": true, "empty": true,
}
