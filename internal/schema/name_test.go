package schema_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/schema"
)

func TestNamesAreReadAsCQLReadsThem(t *testing.T) {
	for name, want := range map[string][2]string{
		"shop.orders":             {"shop", "orders"},
		"Shop.ORDERS":             {"shop", "orders"},
		`"Shop"."Orders"`:         {"Shop", "Orders"},
		`shop."Orders"`:           {"shop", "Orders"},
		`"Shop".orders_2`:         {"Shop", "orders_2"},
		`"a.b"."c""d"`:            {"a.b", `c"d`},
		"ks.select":               {"ks", "select"},
		`ks."select"`:             {"ks", "select"},
		`ks."with space; -- and"`: {"ks", "with space; -- and"},
	} {
		keyspace, table, err := schema.ParseName(name)
		require.NoError(t, err, name)
		require.Equal(t, want, [2]string{keyspace, table}, name)
	}
}

func TestNamesThatCannotBeReadSayHowToFixThem(t *testing.T) {
	for name, remedy := range map[string]string{
		"":                     "the keyspace is missing; write keyspace.table",
		"orders":               "the keyspace is missing; write keyspace.table",
		".orders":              "the keyspace is missing; write keyspace.table",
		"shop.":                "the table is missing; write keyspace.table",
		`"".orders`:            "the keyspace is empty",
		"a.b.c":                "more than two parts",
		"shop.my-tab":          `'-' is not allowed there; put a part`,
		"shop.2021":            `the table begins with '2'; put it in double quotes`,
		"shop._x":              "put it in double quotes",
		`shop."open`:           `the closing quote of the table is missing`,
		`shop."a"b`:            "is not allowed there",
		"shop .t":              "is not allowed there",
		"shöp.t":               "'ö' is not allowed there",
		"shop.t; DROP TABLE x": "';' is not allowed there",
	} {
		_, _, err := schema.ParseName(name)
		require.ErrorIs(t, err, schema.ErrName, name)
		require.ErrorContains(t, err, remedy, name)
	}
}

func FuzzNames(f *testing.F) {
	f.Add(`shop.orders`)
	f.Add(`"a""b"."c.d"`)
	f.Add(`"`)
	f.Fuzz(func(t *testing.T, s string) {
		keyspace, table, err := schema.ParseName(s)
		if err != nil {
			require.ErrorIs(t, err, schema.ErrName)
			return
		}
		k, n, err := schema.ParseName(schema.Quote(keyspace) + "." + schema.Quote(table))
		require.NoError(t, err)
		require.Equal(t, [2]string{keyspace, table}, [2]string{k, n})
	})
}

func TestQuotingMakesOneIdentifierOfAnything(t *testing.T) {
	require.Equal(t, `"orders"`, schema.Quote("orders"))
	require.Equal(t, `"a""; DROP TABLE x; --"`, schema.Quote(`a"; DROP TABLE x; --`))
}

func TestNamesAreSpelledAsTheyMustBeWritten(t *testing.T) {
	for name, want := range map[string]string{
		"orders_2": "orders_2", "select": "select", "Orders": `"Orders"`, "2021": `"2021"`, "_x": `"_x"`,
		"a.b": `"a.b"`, `c"d`: `"c""d"`, "with space": `"with space"`, "": `""`,
	} {
		require.Equal(t, want, schema.Spell(name))
		if name != "" {
			keyspace, table, err := schema.ParseName(schema.Spell(name) + "." + schema.Spell(name))
			require.NoError(t, err)
			require.Equal(t, [2]string{name, name}, [2]string{keyspace, table})
		}
	}
}

func TestNearNamesAreTheLikeliestFirst(t *testing.T) {
	names := []string{"orders", "Orders", "order", "customers", "odrers", "x"}
	require.Equal(t, []string{"Orders", "odrers", "order"}, schema.Near("orders", names))
	require.Equal(t, []string{"customers"}, schema.Near("custmoers", names))
	require.Empty(t, schema.Near("inventory", names))
	require.Empty(t, schema.Near("x", nil))
}
