package codec_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func bytesOf(tb testing.TB, hexed string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(hexed)
	require.NoError(tb, err)
	return b
}

// addr is a user-defined type for tests that need one.
func addrType() *codec.Type {
	return &codec.Type{Kind: codec.UDT, Keyspace: "ks", Name: "addr", Fields: []codec.Field{
		{Name: "street", Type: &codec.Type{Kind: codec.Text}}, {Name: "Zip", Type: &codec.Type{Kind: codec.Int}}}}
}

func knownTypes(name string) (*codec.Type, error) {
	if name == "addr" {
		return addrType(), nil
	}
	return nil, nil
}

func typeOf(tb testing.TB, cql string) *codec.Type {
	tb.Helper()
	t, err := codec.Parse(cql, knownTypes)
	require.NoError(tb, err)
	return t
}

func one(t *codec.Type) []codec.Column { return []codec.Column{{Name: "c", Type: t}} }

// decodeAs reads one value as a T, on top of a value that was there before.
func decodeAs[T any](t *codec.Type, raw []byte, before T) (T, error) {
	d, err := codec.NewDecoder[T](one(t))
	if err != nil {
		return before, err
	}
	_, err = d.Decode([][]byte{raw}, &before)
	return before, err
}

func encodeOf[T any](t *codec.Type, v T) (codec.Cell, error) {
	e, err := codec.NewEncoder[T](one(t))
	if err != nil {
		return codec.Cell{}, err
	}
	cells := make([]codec.Cell, 1)
	_, err = e.Encode(nil, &v, cells)
	return cells[0], err
}
