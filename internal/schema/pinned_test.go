package schema_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

func TestAPinnedTableIsTheSameUnlessItOrAColumnOfItIsMadeAgain(t *testing.T) {
	const dropped = "system_schema.dropped_columns"
	var server tables
	begin := func() *schema.Pinned {
		server = oneTable(column("p", "partition_key", 0, "int"), column("v", "regular", -1, "int"))
		server[dropped] = []any{[][]byte{[]byte("v"), []byte("before")}}
		about, err := schema.Load(t.Context(), server, "ks", "t")
		require.NoError(t, err)
		return schema.Pin(server, about)
	}
	changed := func(p *schema.Pinned, says string) {
		err := p.Same(t.Context())
		require.Equal(t, driver.SchemaChanged, driver.Classify(err))
		require.ErrorContains(t, err, says)
	}
	p := begin()
	require.NoError(t, p.Same(t.Context()), "it was dropped before")
	server[dropped] = append(server[dropped], [][]byte{[]byte("w"), []byte("now")})
	require.NoError(t, p.Same(t.Context()), "a column that it did not have")

	p = begin()
	server[dropped] = []any{[][]byte{[]byte("v"), []byte("now")}}
	changed(p, `column "v" of table "ks"."t" was dropped and made again`)
	server["system_schema.columns"] = nil
	require.NoError(t, p.Same(t.Context()), "nobody writes it")
	written := func(name string) *schema.Pinned { return p.Writing(func(column string) bool { return column == name }) }
	require.NoError(t, written("p").Same(t.Context()), "what is written is there")
	changed(written("v"), `column "v" of table "ks"."t" was dropped while it was written`)

	down := errors.New("no answer")
	for _, table := range []string{dropped, "system_schema.columns"} {
		p = begin()
		server[dropped] = []any{[][]byte{[]byte("v"), []byte("now")}}
		server[table] = []any{down}
		require.ErrorIs(t, p.Same(t.Context()), down)
	}

	p = begin()
	server["system_schema.tables"] = []any{[][]byte{bytes.Repeat([]byte{8}, 16), texts("compound"), nil}}
	changed(p, "was dropped and made again")
}
