package codec_test

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/codec"
)

var scalarKinds = []codec.Kind{codec.Ascii, codec.Bigint, codec.Blob, codec.Boolean, codec.Counter, codec.Date, codec.Decimal, codec.Double,
	codec.Duration, codec.Float, codec.Inet, codec.Int, codec.Smallint, codec.Text, codec.Time, codec.Timestamp, codec.Timeuuid, codec.Tinyint,
	codec.UUID, codec.Varint}

// keyKinds have a natural Go type that can be the key of a map.
var keyKinds = []codec.Kind{codec.Text, codec.Int, codec.Bigint, codec.Timestamp, codec.UUID, codec.Smallint, codec.Boolean, codec.Date}

func drawType(t *rapid.T, depth int) *codec.Type {
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "scalar") == 0 {
		return &codec.Type{Kind: rapid.SampledFrom(scalarKinds).Draw(t, "kind")}
	}
	typ := &codec.Type{Kind: rapid.SampledFrom([]codec.Kind{codec.List, codec.Set, codec.Map, codec.Tuple, codec.UDT, codec.Vector}).Draw(t, "kind")}
	sub := func() *codec.Type {
		e := drawType(t, depth-1)
		e.Frozen = e.Kind >= codec.List && e.Kind < codec.Vector
		return e
	}
	switch typ.Kind {
	case codec.List, codec.Set:
		typ.Elems = []*codec.Type{sub()}
	case codec.Map:
		typ.Elems = []*codec.Type{{Kind: rapid.SampledFrom(keyKinds).Draw(t, "key")}, sub()}
	case codec.Vector:
		typ.Elems, typ.Dim = []*codec.Type{sub()}, rapid.IntRange(1, 3).Draw(t, "dim")
	case codec.Tuple:
		typ.Frozen = true
		for range rapid.IntRange(1, 3).Draw(t, "elements") {
			typ.Elems = append(typ.Elems, sub())
		}
	case codec.UDT:
		typ.Keyspace, typ.Name = "ks", rapid.SampledFrom([]string{"addr", "Addr", "a b", `q"q`, "list", "text", "7up"}).Draw(t, "name")
		for _, name := range []string{"a", "B", "c,d"}[:rapid.IntRange(1, 3).Draw(t, "fields")] {
			typ.Fields = append(typ.Fields, codec.Field{Name: name, Type: sub()})
		}
	}
	return typ
}

func withLength(raw []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...)
}

// drawRaw makes the canonical bytes of a value, by the protocol's rules and without the package's
// help.
func drawRaw(t *rapid.T, typ *codec.Type) []byte {
	fixed := func(n int) []byte { return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "bytes") }
	varint := func() []byte {
		raw := fixed(rapid.IntRange(1, 20).Draw(t, "length"))
		for len(raw) > 1 && (raw[0] == 0 && raw[1] < 128 || raw[0] == 255 && raw[1] > 127) {
			raw = raw[1:]
		}
		return raw
	}
	switch typ.Kind {
	case codec.Text, codec.Ascii, codec.Blob:
		return fixed(rapid.SampledFrom([]int{0, 1, 7, 127, 128, 300}).Draw(t, "length"))
	case codec.Bigint, codec.Counter, codec.Double, codec.Timestamp:
		return fixed(8)
	case codec.Time:
		return binary.BigEndian.AppendUint64(nil, rapid.Uint64Max(uint64(24*time.Hour)-1).Draw(t, "time"))
	case codec.Int, codec.Float, codec.Date:
		return fixed(4)
	case codec.Smallint:
		return fixed(2)
	case codec.Tinyint:
		return fixed(1)
	case codec.Boolean:
		return []byte{byte(rapid.IntRange(0, 1).Draw(t, "bool"))}
	case codec.UUID, codec.Timeuuid:
		return fixed(16)
	case codec.Inet:
		raw := fixed(rapid.SampledFrom([]int{4, 16}).Draw(t, "length"))
		raw[0] |= 1 // not an IPv4 address inside IPv6, which is no net.IP
		return raw
	case codec.Varint:
		return varint()
	case codec.Decimal:
		return append(fixed(4), varint()...)
	case codec.Duration:
		d := gocql.Duration{Months: rapid.Int32Min(0).Draw(t, "m"), Days: rapid.Int32Min(0).Draw(t, "d"), Nanoseconds: rapid.Int64Min(0).Draw(t, "n")}
		if rapid.Bool().Draw(t, "negative") {
			d = gocql.Duration{Months: ^d.Months, Days: ^d.Days, Nanoseconds: ^d.Nanoseconds}
		}
		raw, err := gocql.Marshal(typ.Info(), d)
		require.NoError(t, err)
		return raw
	case codec.List, codec.Set:
		n := rapid.IntRange(0, 3).Draw(t, "n")
		raw := binary.BigEndian.AppendUint32(nil, uint32(n))
		for range n {
			raw = append(raw, withLength(drawRaw(t, typ.Elems[0]))...)
		}
		return raw
	case codec.Map: // at most one entry, since Go maps have no order
		n := rapid.IntRange(0, 1).Draw(t, "n")
		raw := binary.BigEndian.AppendUint32(nil, uint32(n))
		for range n {
			raw = append(raw, withLength(drawRaw(t, typ.Elems[0]))...)
			raw = append(raw, withLength(drawRaw(t, typ.Elems[1]))...)
		}
		return raw
	case codec.Tuple, codec.UDT:
		parts := typ.Elems
		for _, f := range typ.Fields {
			parts = append(parts, f.Type)
		}
		raw := []byte{}
		for _, p := range parts {
			if rapid.IntRange(0, 4).Draw(t, "null") == 0 {
				raw = append(raw, 255, 255, 255, 255)
			} else {
				raw = append(raw, withLength(drawRaw(t, p))...)
			}
		}
		return raw
	}
	raw := []byte{}
	for range typ.Dim {
		elem := drawRaw(t, typ.Elems[0])
		if !packed(typ.Elems[0]) {
			switch n := len(elem); {
			case n < 1<<7:
				raw = append(raw, byte(n))
			case n < 1<<14:
				raw = append(raw, 0x80|byte(n>>8), byte(n))
			default:
				raw = append(raw, 0xc0|byte(n>>16), byte(n>>8), byte(n))
			}
		}
		raw = append(raw, elem...)
	}
	return raw
}

func packed(t *codec.Type) bool {
	switch t.Kind {
	case codec.Bigint, codec.Boolean, codec.Double, codec.Float, codec.Int, codec.Timestamp, codec.Timeuuid, codec.UUID:
		return true
	case codec.Vector:
		return packed(t.Elems[0])
	}
	return false
}

func TestEveryCanonicalValueOfEveryTypeComesBackByteForByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t, 3)
		raw := drawRaw(t, typ)
		got, err := decodeAs[any](typ, raw, nil)
		require.NoError(t, err, typ)
		cell, err := encodeOf(typ, got)
		require.NoError(t, err, typ)
		require.False(t, cell.Null)
		require.True(t, bytes.Equal(raw, cell.Bytes), "%s: %x became %x", typ, raw, cell.Bytes)
	})
}

func TestCutOrLongerBytesAreNeverAPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t, 3)
		raw := drawRaw(t, typ)
		if len(raw) > 0 {
			raw[rapid.IntRange(0, len(raw)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		raw = raw[:rapid.IntRange(0, len(raw)).Draw(t, "cut")]
		if got, err := decodeAs[any](typ, raw, nil); err == nil {
			_, err = encodeOf(typ, got)
			_ = err // empty elements may have no way back, e.g. into a tuple
		}
		if typ.Kind != codec.Text && typ.Kind != codec.Ascii && typ.Kind != codec.Blob && typ.Kind != codec.Varint && typ.Kind != codec.Decimal {
			_, err := decodeAs[any](typ, append(drawRaw(t, typ), make([]byte, 32)...), nil)
			require.ErrorIs(t, err, codec.ErrCorrupt, typ)
		}
	})
}

func TestWhatTheDriverReadsIsReadTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(scalarKinds).Draw(t, "kind")
		typ := &codec.Type{Kind: k}
		if rapid.Bool().Draw(t, "list") {
			typ = &codec.Type{Kind: codec.List, Elems: []*codec.Type{typ}}
		}
		raw := drawRaw(t, typ)
		got, err := decodeAs[any](typ, raw, nil)
		require.NoError(t, err)
		switch want := got.(type) {
		case *big.Int:
			var theirs big.Int
			require.NoError(t, gocql.Unmarshal(typ.Info(), raw, &theirs))
			require.Zero(t, want.Cmp(&theirs))
		default:
			theirs := newOf(got)
			require.NoError(t, gocql.Unmarshal(typ.Info(), raw, theirs))
			sameBits(t, got, theirs)
		}
	})
}

// distinct renames the user-defined types in a type so that no two have one name.
func distinct(t *codec.Type, used map[string]bool) {
	if t.Kind == codec.UDT {
		for used[t.Name] {
			t.Name += " 2"
		}
		used[t.Name] = true
	}
	for _, e := range t.Elems {
		distinct(e, used)
	}
	for _, f := range t.Fields {
		distinct(f.Type, used)
	}
}

func TestSpellingsAndDescriptionsReadBackTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t, 4)
		distinct(typ, map[string]bool{})
		described, err := codec.FromDriver(typ.Info())
		require.NoError(t, err)
		require.Equal(t, typ, described)

		known := map[string]*codec.Type{}
		var gather func(*codec.Type)
		gather = func(t *codec.Type) {
			if t.Kind == codec.UDT {
				plain := *t
				plain.Frozen = false
				known[t.Name] = &plain
			}
			for _, e := range t.Elems {
				gather(e)
			}
		}
		gather(typ)
		parsed, err := codec.Parse(typ.String(), func(name string) (*codec.Type, error) { return known[name], nil })
		require.NoError(t, err, typ.String())
		require.Equal(t, typ, parsed, typ.String())
	})
}
