package tables_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/tables"
)

func TestAnArgumentIsATableOrAKeyspace(t *testing.T) {
	for arg, want := range map[string]tables.Name{
		"shop": {"shop", ""}, "Shop": {"shop", ""}, `"Shop"`: {"Shop", ""}, "shop.orders": {"shop", "orders"}, `shop."Orders"`: {"shop", "Orders"},
		`"a.b"."c""d"`: {"a.b", `c"d`}, `"a.b"`: {"a.b", ""},
	} {
		got, err := tables.Parse(arg)
		require.NoError(t, err, arg)
		require.Equal(t, want, got)
		again, err := tables.Parse(got.String())
		require.NoError(t, err)
		require.Equal(t, want, again, "its own text means the same")
	}
	for _, arg := range []string{"", ".", "a.", ".b", "a.b.c", `"a`, "a-b", "1a"} {
		_, err := tables.Parse(arg)
		require.Error(t, err, arg)
	}
}
