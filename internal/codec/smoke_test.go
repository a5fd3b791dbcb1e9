package codec_test

import (
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/stretchr/testify/require"
)

type smoke struct {
	ID   int64      `cql:"id"`
	Name string     `cql:"name"`
	At   time.Time  `cql:"at"`
	Key  gocql.UUID `cql:"key"`
	N    *int32     `cql:"n"`
}

func TestARowComesBackAsItWent(t *testing.T) {
	cols := []codec.Column{{"name", &codec.Type{Kind: codec.Text}}, {"id", &codec.Type{Kind: codec.Bigint}}, {"at", &codec.Type{Kind: codec.Timestamp}},
		{"key", &codec.Type{Kind: codec.UUID}}, {"n", &codec.Type{Kind: codec.Int}}}
	enc, err := codec.NewEncoder[smoke](cols)
	require.NoError(t, err)
	dec, err := codec.NewDecoder[smoke](cols)
	require.NoError(t, err)
	in := smoke{1, "x", time.UnixMilli(-5).UTC(), gocql.TimeUUID(), nil}
	cells := make([]codec.Cell, 5)
	_, err = enc.Encode(nil, &in, cells)
	require.NoError(t, err)
	raw := make([][]byte, 5)
	for i := range cells {
		raw[i] = cells[i].Bytes
	}
	var out smoke
	n, err := dec.Decode(raw, &out)
	require.NoError(t, err)
	require.Equal(t, in, out)
	require.Positive(t, n)
}
