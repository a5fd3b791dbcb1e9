package dialect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/codec"
)

func TestAValueInACollectionIsNoNullAlsoWhereItIsTheNullText(t *testing.T) {
	integer, text := &dialect.Type{Kind: codec.Int}, &dialect.Type{Kind: codec.Text}
	list := &dialect.Type{Kind: codec.List, Elems: []*dialect.Type{integer}}
	udt := &dialect.Type{Kind: codec.UDT, Fields: []codec.Field{{Name: "a", Type: integer}, {Name: "b", Type: text}}}
	tuple := &dialect.Type{Kind: codec.Tuple, Elems: []*dialect.Type{integer, text}}
	set := &dialect.Type{Kind: codec.Set, Elems: []*dialect.Type{text}}
	vector := &dialect.Type{Kind: codec.Vector, Elems: []*dialect.Type{{Kind: codec.Float}}, Dim: 2}
	byInt := &dialect.Type{Kind: codec.Map, Elems: []*dialect.Type{integer, integer}}
	for null, values := range map[string]map[string]*dialect.Type{
		"1":    {"[1, 2]": list, "(1, 'x')": tuple, "(, 'x')": tuple, "{a: 1, b: '1'}": udt, "{a: , b: }": udt, "{1: 1, 2: 1}": byInt, "[1, 1]": vector},
		"NaN":  {"[NaN, 2]": vector},
		"''":   {"(1, '')": tuple, "{'', 'x'}": set},
		"None": {"(1, 'None')": tuple, "(1, )": tuple, "{'None'}": set},
	} {
		d := dialect.Cqlsh()
		d.Null = null
		s, err := dialect.NewText(d)
		require.NoError(t, err, null)
		for value, typ := range values {
			data, err := s.Parse(nil, typ, []byte(value))
			require.NoError(t, err, "%s: %s", null, value)
			again, err := s.Append(nil, typ, data)
			require.NoError(t, err)
			require.Equal(t, value, string(again), null)
		}
	}
}

func TestANullTextHasCharactersThatTheFileCanHold(t *testing.T) {
	d := dialect.RFC4180()
	d.Null = "ø"
	require.NoError(t, d.Check())
	d.Encoding = dialect.Latin1
	require.NoError(t, d.Check())
	d.Null = "漢"
	require.ErrorContains(t, d.Check(), "characters that the Encoding has")
	d.Null, d.Encoding = "\xff", dialect.UTF8
	require.ErrorContains(t, d.Check(), "must be in UTF-8")
}
