package source_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/source"
)

type reading struct {
	ID      int                 `cql:"id"`
	Name    *string             `cql:"name"`
	At      time.Time           `cql:"at"`
	Clock   time.Duration       `cql:"clock"`
	Good    bool                `cql:"good"`
	Raw     []byte              `cql:"raw"`
	Exact   inf.Dec             `cql:"exact"`
	Span    gocql.Duration      `cql:"span"`
	Huge    *big.Int            `cql:"huge"`
	Tags    map[string]struct{} `cql:"tags"`
	Counts  map[string]int16    `cql:"counts"`
	Address struct {
		Street string `cql:"street"`
		Zip    *int32 `cql:"zip"`
	} `cql:"address"`
}

func TestStructsAreReadAsCqlshAndDSBulkSpellThem(t *testing.T) {
	name, at := " a, \"b\"\nc\\d ", time.Date(2017, 7, 31, 15, 49, 1, 638e6, time.UTC)
	want := reading{
		ID: 5, Name: &name, At: at, Clock: time.Hour + 1, Good: true, Raw: []byte{0x5f, 0xff}, Exact: *inf.NewDec(-1250, 2),
		Span: gocql.Duration{Months: 13, Days: 2}, Huge: big.NewInt(7), Tags: map[string]struct{}{"x'": {}}, Counts: map[string]int16{"k": -3},
	}
	want.Address.Street = "Main, 1"
	header := "id,name,at,clock,good,raw,exact,span,huge,tags,counts,address\n"
	for _, c := range []struct {
		d    dialect.Dialect
		text string
	}{
		{dialect.Cqlsh(), `5," a, \"b\"\\nc\\\\d ",2017-07-31 15:49:01.638+0000,01:00:00.000000001,True,0x5fff,-12.50,1y1mo2d,7,` +
			`{'x'''},{'k': -3},"{street: 'Main, 1', zip: }"` + "\n"},
		{dialect.DSBulk(), "5,\" a, \\\"b\\\"\nc\\\\d \",2017-07-31T15:49:01.638Z,01:00:00.000000001,1,X/8=,-12.50,1y1mo2d,7," +
			`"[\"x'\"]","{\"k\":-3}","{\"street\":\"Main, 1\",\"zip\":null}"` + "\n"},
	} {
		got, err := csv[reading](t, header+c.text+"6,,,,,,,,,,,\n", source.Dialect(c.d))
		require.NoError(t, err, c.d.Name)
		require.Equal(t, []reading{want, {ID: 6}}, got, c.d.Name)
	}
	got, err := ndjson[reading](t, `{"id":5,"raw":"X/8=","at":"2017-07-31T15:49:01.638Z","good":true,"address":{"street":"x"},"name":null}`,
		source.Dialect(dialect.DSBulk()))
	require.NoError(t, err)
	require.Equal(t, []byte{0x5f, 0xff}, got[0].Raw)
	require.Equal(t, "x", got[0].Address.Street)
	_, err = ndjson[reading](t, `{"id":5,"id":6}`, source.Dialect(dialect.DSBulk()))
	require.ErrorContains(t, err, `"id" occurs twice`)
	_, err = ndjson[reading](t, `{"other":5}`, source.Dialect(dialect.DSBulk()))
	require.ErrorContains(t, err, `unknown field "other"`)
}

func TestSeparatorsNullsAndHeadersAreTheDialects(t *testing.T) {
	d := dialect.RFC4180()
	d.Separator, d.Null = '\t', `\N`
	got, err := csv[trip](t, "note\troute\tid\n\\N\ta,b\t1\n\t\"a\tb\"\t2\n", source.Dialect(d), source.IgnoreUnknown())
	require.Error(t, err, "cost is not in the header")
	require.Empty(t, got)
	note := ""
	type row struct {
		ID    int     `cql:"id"`
		Route string  `cql:"route"`
		Note  *string `cql:"note"`
	}
	rows, err := csv[row](t, "note\troute\tid\n\\N\ta,b\t1\n\t\"a\tb\"\t2\n", source.Dialect(d))
	require.NoError(t, err)
	require.Equal(t, []row{{1, "a,b", nil}, {2, "a\tb", &note}}, rows)

	d.Header = false
	rows, err = csv[row](t, "1\ta\t\\N\n", source.Dialect(d))
	require.NoError(t, err)
	require.Equal(t, []row{{1, "a", nil}}, rows, "in the order of the struct")
	rows, err = csv[row](t, "x\t1\t\\N\n", source.Dialect(d), source.Header("route", "id", "note"))
	require.NoError(t, err)
	require.Equal(t, []row{{1, "x", nil}}, rows)
	_, err = csv[row](t, "x\t1\n", source.Dialect(d))
	require.ErrorContains(t, err, "line 1: 2 fields where the header has 3")

	renamed, err := csv[row](t, "Route,Number,Remark\nx,1,\n", source.Header("route", "id", "note"))
	require.NoError(t, err)
	require.Equal(t, []row{{1, "x", nil}}, renamed, "other names than in the file's header")
	_, err = csv[row](t, "Route,Number\nx,1\n", source.Header("route", "id", "note"))
	require.ErrorIs(t, err, rxcql.ErrSchema)
	_, err = csv[row](t, "a,b\n", source.Dialect(dialect.DSBulk()), source.NullText("NULL"), source.Header("id", "id"))
	require.ErrorIs(t, err, rxcql.ErrConfig)

	bulk, err := csv[row](t, "id,route,note\n1,x,NULL\n2,\"NULL\",\n", source.Dialect(dialect.DSBulk()), source.NullText("NULL"))
	require.NoError(t, err)
	require.Equal(t, []row{{1, "x", nil}, {2, "NULL", &note}}, bulk)
}

func TestLatin1IsReadAndAFileInUTF8IsNotTakenForIt(t *testing.T) {
	d := dialect.RFC4180()
	d.Encoding = dialect.Latin1
	type row struct {
		Name string `cql:"größe"`
	}
	got, err := csv[row](t, "gr\xf6\xdfe\nM\xfcller\n", source.Dialect(d))
	require.NoError(t, err)
	require.Equal(t, []row{{"Müller"}}, got)
	_, err = csv[row](t, "\ufeffgröße\nx\n", source.Dialect(d))
	require.ErrorIs(t, err, rxcql.ErrSchema)
}

func TestDialectsThatCannotBeAreRefusedByNew(t *testing.T) {
	bad := dialect.DSBulk()
	bad.Separator = '"'
	type loose struct {
		ID  int `cql:"id"`
		Any any `cql:"any"`
	}
	type self struct {
		Next *self `cql:"next"`
	}
	for says, opts := range map[string][]source.CSVOption{
		"they must differ": {source.Dialect(bad)},
		"no separator":     {source.Dialect(dialect.DSBulk()), source.NullText("a,b")},
	} {
		_, err := rxcql.New(source.CSV[trip]("x", opts...), discard[trip]())
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, says)
	}
	_, err := rxcql.New(source.CSV[loose]("x", source.Dialect(dialect.DSBulk())), discard[loose]())
	require.ErrorContains(t, err, "it is not known which CQL type")
	_, err = rxcql.New(source.CSV[self]("x", source.Dialect(dialect.DSBulk())), discard[self]())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	_, err = rxcql.New(source.NDJSON[string]("x", source.Dialect(dialect.DSBulk())), discard[string]())
	require.ErrorIs(t, err, rxcql.ErrConfig)
}

func TestAJobDoesNotGoOnUnderAnotherDialect(t *testing.T) {
	text := "id\n"
	for range 30 {
		text += "1\n2\n"
	}
	type row struct {
		ID int `cql:"id"`
	}
	path, store := fileWith(t, text), &jobtest.Store{}
	run := func(d dialect.Dialect) error {
		n := 0
		p, err := rxcql.New(source.CSV[row](path, source.PageRows(4), source.Dialect(d)), failingAfter[row](&n, 21), rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		_, err = p.Run(t.Context())
		return err
	}
	require.ErrorContains(t, run(dialect.DSBulk()), "on purpose")
	other := dialect.DSBulk()
	other.Zone = time.FixedZone("East", 3600)
	require.ErrorIs(t, run(other), rxcql.ErrCheckpointForeign)
	require.ErrorIs(t, run(dialect.Cqlsh()), rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, run(dialect.DSBulk()), "on purpose")
}
