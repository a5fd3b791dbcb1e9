package source_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

// Files that are no CSV, or no NDJSON, are refused by Check in words that say what
// they are, under every policy.
func TestAFileOfAnotherKindIsSaidToBeThat(t *testing.T) {
	twice := gzipped(t, gzipped(t, "id,text\n1,x\n"))
	for _, c := range []struct{ text, says string }{
		{twice, "compressed with gzip twice: decompress it once (gunzip)"},
		{"BZh91AY", "compressed with bzip2"},
		{"\xff\xfei\x00d\x00", "in UTF-16: write it in UTF-8"},
		{"\xfe\xff\x00i\x00d", "in UTF-16: write it in UTF-8"},
		{"i\x00d\x00,\x00", "as UTF-16 does"},
		{"PK\x03\x04secret", "a zip archive"},
		{"PAR1secret", "Parquet"},
	} {
		for _, in := range []rxcql.Stream[note]{source.CSV[note](fileWith(t, c.text)), source.NDJSON[note](fileWith(t, c.text))} {
			refused(t, in, c.says)
		}
	}
	for _, c := range []struct{ text, says string }{
		{"id;text\n1;x\n", `the file seems to be separated by ";"`},
		{"\"id\"\t\"text\"\n", `the file seems to be separated by "\t"`},
		{"ID,text\n", `column "id" is not in the header; did you mean "ID", which is?`},
		{"\"\"\"id\"\"\", text\n", "did you mean \"\\\"id\\\"\", which is?"},
		{"id, text\n", `column "text" is not in the header; did you mean " text", which is?`},
		{"id,test\n", `column "text" is not in the header; did you mean its column 2, which is?`},
		{"id,text\r1,secret\r", "a carriage return alone"},
		{"id,\xff\n", "the header is not UTF-8"},
		{"secret,1\n", "is the first line a header?"},
		{"i,secret;\n", "is the first line a header?"},
	} {
		refused(t, source.CSV[note](fileWith(t, c.text)), c.says)
	}
	for _, text := range []string{"[{\"id\":1},\n{\"id\":2}]\n", "[\n  {\"id\":1}\n]", "\ufeff\n [ {"} {
		refused(t, source.NDJSON[note](fileWith(t, text)), "one JSON array, and NDJSON is one object a line: read it with JSONArray")
		refused(t, source.NDJSON[map[string]any](fileWith(t, text)), "one JSON array")
	}
}

func refused[T any](t *testing.T, in rxcql.Stream[T], says string) {
	t.Helper()
	p, err := rxcql.New(in, discard[T](), rxcql.WithRowErrors(rxcql.SkipPercent(100, 0)))
	require.NoError(t, err)
	for _, err := range []error{p.Check(t.Context()), second(p.Run(t.Context()))} {
		require.ErrorIs(t, err, rxcql.ErrSchema)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestWhatOnlyLooksLikeAnotherKindOfFileIsRead(t *testing.T) {
	for text, want := range map[string]int{"id,text\n": 0, "\ufeffid,text\n1,x": 1, "id,text\r\n1,\"a\rb\"\r\n": 1} {
		got, err := csv[note](t, text)
		require.NoError(t, err)
		require.Len(t, got, want)
	}
	lists, err := ndjson[[]int](t, "[1]\n[\n")
	require.ErrorContains(t, err, "line 2")
	require.Empty(t, lists[1:])
	values, err := ndjson[any](t, "[{}]\n")
	require.NoError(t, err)
	require.Len(t, values, 1)
	n, err := source.NDJSON[map[string]int](fileWith(t, "[info] begun\n{\"a\":1}\n")).
		Count(t.Context(), rxcql.WithRowErrors(rxcql.SkipRows(1)))
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}
