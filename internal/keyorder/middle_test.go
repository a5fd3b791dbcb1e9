package keyorder_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/keyorder"
)

// divisible are types that Middle knows, with a value of each.
var divisible = map[codec.Kind]*rapid.Generator[[]byte]{
	codec.Tinyint: anyBytes(1), codec.Smallint: anyBytes(2), codec.Int: anyBytes(4), codec.Bigint: anyBytes(8), codec.Timestamp: anyBytes(8),
	codec.Date: anyBytes(4), codec.UUID: anyBytes(16), codec.Blob: rapid.SliceOfN(rapid.Byte(), 0, 5),
	codec.Ascii:  rapid.SliceOfN(rapid.ByteRange(0, 127), 0, 5),
	codec.Text:   rapid.Map(rapid.StringOfN(rapid.Rune(), 0, 4, -1), func(s string) []byte { return []byte(s) }),
	codec.Varint: rapid.SliceOfN(rapid.Byte(), 1, 10),
}

func anyBytes(n int) *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), n, n) }

func kindOf(rt *rapid.T) (*codec.Type, *rapid.Generator[[]byte]) {
	kinds := make([]codec.Kind, 0, len(divisible))
	for kind := codec.Ascii; kind <= codec.Custom; kind++ {
		if divisible[kind] != nil {
			kinds = append(kinds, kind)
		}
	}
	kind := rapid.SampledFrom(kinds).Draw(rt, "kind")
	return &codec.Type{Kind: kind}, divisible[kind]
}

// versioned makes a UUID of version 4: those of version 1 are compared by time.
func versioned(t *codec.Type, value []byte) []byte {
	if t.Kind == codec.UUID {
		value[6] = value[6]&15 | 0x40
	}
	return value
}

func TestTheMiddleIsBetweenItsBounds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		typ, values := kindOf(rt)
		compare, err := keyorder.Of(typ)
		require.NoError(rt, err)
		low, high := versioned(typ, values.Draw(rt, "low")), versioned(typ, values.Draw(rt, "high"))
		if compare(low, high) > 0 {
			low, high = high, low
		}
		if rapid.Bool().Draw(rt, "no low bound") {
			low = nil
		}
		if rapid.Bool().Draw(rt, "no high bound") {
			high = nil
		}
		mid := keyorder.Middle(typ, low, high)
		if mid == nil {
			return
		}
		if low != nil {
			require.Positive(rt, compare(mid, low))
		}
		if high != nil {
			require.Negative(rt, compare(mid, high))
		}
	})
}

// One of two rows is left in a part of its own after some cuts, however close they are. A cut at
// the upper of two neighbours is one too, as whoever cuts tries it.
func TestCuttingAtTheMiddleComesToAnyValue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		typ, values := kindOf(rt)
		compare, err := keyorder.Of(typ)
		require.NoError(rt, err)
		wanted := versioned(typ, values.Draw(rt, "wanted"))
		if len(wanted) == 0 {
			return // nothing is less, so it is left in a part without a low bound
		}
		var low, high []byte
		for range 2000 {
			mid := keyorder.Middle(typ, low, high)
			if mid == nil || high != nil && len(mid) > len(high) && compare(high, wanted) == 0 {
				break
			}
			if compare(wanted, mid) <= 0 {
				high = mid
			} else {
				low = mid
			}
		}
		if high == nil { // it is the greatest of all
			require.Nil(rt, keyorder.Middle(typ, wanted, nil))
			return
		}
		require.Zero(rt, compare(high, wanted), "%s and not %s", hex.EncodeToString(high), hex.EncodeToString(wanted))
	})
}

func TestThereIsNoMiddleOfNeighboursAndOfTypesThatAreNotKnown(t *testing.T) {
	for _, c := range []struct {
		kind      codec.Kind
		low, high string
	}{
		{codec.Int, "00000001", "00000002"}, {codec.Int, "7fffffff", ""}, {codec.Int, "", "80000000"}, {codec.Boolean, "00", "01"},
		{codec.Blob, "61", "6100"}, {codec.Text, "61", "61"}, {codec.Int, "01", "02"}, {codec.Inet, "01010101", "09090909"},
		{codec.Decimal, "0000000001", "0000000009"}, {codec.Varint, "01", "02"}, {codec.UUID, "01", ""}, {codec.Timeuuid, "01", ""},
	} {
		require.Nil(t, keyorder.Middle(&codec.Type{Kind: c.kind}, bound(t, c.low), bound(t, c.high)), "%v", c)
	}
}

func bound(t *testing.T, text string) []byte {
	t.Helper()
	if text == "" {
		return nil
	}
	b, err := hex.DecodeString(text)
	require.NoError(t, err)
	return b
}

func TestTheMiddleOfTimesAndFloatsIsOne(t *testing.T) {
	for _, c := range []struct {
		kind           codec.Kind
		low, high, mid string
	}{
		{codec.Time, "", "", "0000274a48a77fff"},
		{codec.Boolean, "", "", "00"},
		{codec.Double, "bff0000000000000", "3ff0000000000000", "8000000000000000"}, // -1 and 1: -0
		{codec.Float, "40000000", "40400000", "40200000"},
		{codec.Timeuuid, "", "", "ffffffffffff17ff7f7f7f7f7f7f7f7f"},
		{codec.Varint, "", "", "00"},
		{codec.Varint, "7f", "", "00ff"},
		{codec.Varint, "", "80", "feff"},
	} {
		got := keyorder.Middle(&codec.Type{Kind: c.kind}, bound(t, c.low), bound(t, c.high))
		require.Equal(t, c.mid, hex.EncodeToString(got), "%v", c)
	}
}
