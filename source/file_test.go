package source_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

// trip is a row of a file.
type trip struct {
	ID    int64            `cql:"id" json:"id"`
	Route string           `cql:"route" json:"route"`
	Note  *string          `cql:"note" json:"note"`
	Cost  sql.Null[uint16] `cql:"cost" json:"-"`
}

func fileWith(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.txt")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func ndjson[T any](t *testing.T, text string, opts ...source.NDJSONOption) ([]T, error) {
	t.Helper()
	return source.NDJSON[T](fileWith(t, text), opts...).Collect(context.Background())
}

func csv[T any](t *testing.T, text string, opts ...source.CSVOption) ([]T, error) {
	t.Helper()
	return source.CSV[T](fileWith(t, text), opts...).Collect(context.Background())
}

func TestNDJSONReadsALineARow(t *testing.T) {
	note := ""
	got, err := ndjson[trip](t, "\ufeff{\"id\":1,\"route\":\"a\\nb\"}\r\n\n \t\r\n{\"note\":\"\",\"id\":-9223372036854775808}")
	require.NoError(t, err)
	require.Equal(t, []trip{{ID: 1, Route: "a\nb"}, {ID: -1 << 63, Note: &note}}, got)

	for text, want := range map[string]int{"": 0, "\ufeff": 0, "\n\n": 0, "{}": 1, "{}\n{}": 2} {
		got, err := ndjson[trip](t, text)
		require.NoError(t, err)
		require.Len(t, got, want)
	}
	numbers, err := ndjson[any](t, "123456789012345678901234567890\n[1.50]\nnull\n")
	require.NoError(t, err)
	require.Len(t, numbers, 3)
	require.Equal(t, "123456789012345678901234567890", numbers[0].(interface{ String() string }).String())
}

func TestCSVReadsARecordARow(t *testing.T) {
	type odd struct {
		At    time.Time         `cql:"at"`
		Big   *big.Int          `cql:"big"`
		Bytes []byte            `cql:"bytes"`
		Tags  map[string][]int  `cql:"tags"`
		On    bool              `cql:"on"`
		F     float32           `cql:"f"`
		S     sql.Null[string]  `cql:"s"`
		M     map[string]string `cql:"m"`
	}
	text := "\ufeffs,at,big,bytes,tags,on,f,m\r\n" +
		"\"a\r\n\"\"b\"\", c\",2024-02-29T23:59:59.5+05:30,123456789012345678901234567890,0x00ff,\"{\"\"k\"\":[1]}\",true,-0.5,\n" +
		"\r\n" +
		"\"\",,,0x,,false,1e9,{}"
	got, err := csv[odd](t, text)
	require.NoError(t, err)
	huge, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	require.True(t, got[0].At.Equal(time.Date(2024, 2, 29, 18, 29, 59, 5e8, time.UTC)))
	got[0].At = time.Time{}
	require.Equal(t, []odd{
		{Big: huge, Bytes: []byte{0, 255}, Tags: map[string][]int{"k": {1}}, On: true, F: -0.5, S: sql.Null[string]{V: "a\r\n\"b\", c", Valid: true}},
		{Bytes: []byte{}, F: 1e9, S: sql.Null[string]{Valid: true}, M: map[string]string{}},
	}, got)

	trips, err := csv[trip](t, "id,cost,note,route\n1,7,\\N,\\N\n2,\\N,\"\\N\",", source.NullText(`\N`))
	require.NoError(t, err)
	text = `\N`
	require.Equal(t, []trip{{ID: 1, Cost: sql.Null[uint16]{V: 7, Valid: true}}, {ID: 2, Note: &text}}, trips)
}

// fails asserts an error of a row that names file and line, and holds no text of
// the file.
func fails(t *testing.T, err error, words ...string) {
	t.Helper()
	var stage *rxcql.StageError
	require.ErrorAs(t, err, &stage)
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	for _, word := range append(words, "in.txt, ") {
		require.ErrorContains(t, err, word)
	}
	require.NotContains(t, err.Error(), "secret")
	_, said, _ := strings.Cut(err.Error(), "in.txt, ") // the folder's name has any digits
	require.NotContains(t, said, "300")
}

type pedantic struct{}

func (*pedantic) UnmarshalJSON(b []byte) error { return errors.New("no: " + string(b)) }
func (*pedantic) UnmarshalText(b []byte) error { return errors.New("no: " + string(b)) }
func (pedantic) MarshalText() ([]byte, error)  { return []byte("x"), nil }

func TestALineOfJSONThatDoesNotFitIsNamed(t *testing.T) {
	type small struct {
		N int8 `json:"n"`
	}
	good := strings.Repeat("{}\n", 700)
	for text, words := range map[string][]string{
		`{"n":"secret"`:               {"line 702", "not valid JSON: it ends too early"},
		`{"n":1} "secret"`:            {"line 702", "something follows the value, from byte 8 on"},
		`{"n":}secret`:                {"line 702", "not valid JSON: from byte 6 on"},
		`{"n":300}`:                   {"line 702", "field n: a JSON number for the Go type int8"},
		`{"n":"secret"}`:              {"line 702", "field n: a JSON string for the Go type int8"},
		`{"m":"secret"}`:              {"line 702", `unknown field "m"`},
		`[1]`:                         {"line 702", "a JSON array"},
		`null`:                        {"line 702", "null where a value is needed"},
		"{\"n\":\"secret\xff\"}":      {"line 702", "not UTF-8"},
		strings.Repeat("secret", 300): {"line 702", "longer than MaxLine"},
	} {
		var got int
		in := source.NDJSON[small](fileWith(t, good+"\n"+text+"\n{}\n"), source.MaxLine(1024))
		rep, err := in.ForEach(context.Background(), func(small) error { got++; return nil })
		fails(t, err, words...)
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row)
		require.EqualValues(t, 1, row.Page)
		require.Equal(t, 188, row.Row)
		require.Equal(t, 700, got, "rows before it are delivered")
		require.Zero(t, rep.BytesInFlight)
	}
	_, err := ndjson[pedantic](t, `"secret"`)
	fails(t, err, "line 1", "unwrap it")
	_, err = ndjson[small](t, `{"m":1,"n":2}`, source.IgnoreUnknown())
	require.NoError(t, err)
}

func TestARecordOfCSVThatDoesNotFitIsNamed(t *testing.T) {
	type small struct {
		N int8     `cql:"n"`
		S string   `cql:"s"`
		B []byte   `cql:"b"`
		J []int    `cql:"j"`
		P pedantic `cql:"p"`
	}
	for text, words := range map[string][]string{
		"300,,,,":             {`column "n" (int8): the field is not a whole number of 8 bits`},
		",,secret,,":          {`column "b"`, "0x and pairs of hexadecimal digits"},
		",,0x0,,":             {`column "b"`, "pairs of hexadecimal digits"},
		",,,secret,":          {`column "j"`, "not valid JSON"},
		",,,,secret":          {`column "p"`, "UnmarshalText returned a *errors.errorString"},
		",,,":                 {"4 fields where the header has 5"},
		",,,,,":               {"6 fields"},
		"1,sec\"ret\",,,":     {"quote stands in a field"},
		"1,\"sec\"ret,,,":     {"quote stands in a field"},
		"1,\"secret\n,,,\n,,": {"quoted field is not closed"},
		"1,\"" + strings.Repeat("secret\n", 300) + "\"": {"longer than MaxLine"},
	} {
		got := 0
		in := source.CSV[small](fileWith(t, "n,s,b,j,p\n1,\"a\r\n\nb\",,,\n\n"+text), source.MaxLine(1024))
		_, err := in.ForEach(context.Background(), func(small) error { got++; return nil })
		fails(t, err, append(words, "line 6")...)
		require.Equal(t, 1, got)
	}
}

func TestTheHeaderOfCSVMustFit(t *testing.T) {
	for text, words := range map[string][]string{
		"":                        {"has no header"},
		"\n\n":                    {"has no header"},
		"id,route,cost\n":         {`column "note" is not in the header`},
		"id,route,note,cost,id\n": {`column "id" occurs twice`},
		"id,route,note,cost,x\n":  {`the header's column 5 has no field`, "IgnoreUnknown"},
		"secret,7\n":              {"is the first line a header?"},
	} {
		in := source.CSV[trip](fileWith(t, text))
		p, err := rxcql.New(in, discard[trip]())
		require.NoError(t, err)
		for _, err := range []error{p.Check(context.Background()), second(p.Run(context.Background()))} {
			require.ErrorIs(t, err, rxcql.ErrSchema)
			require.ErrorContains(t, err, "CSV in.txt")
			for _, word := range words {
				require.ErrorContains(t, err, word)
			}
			require.NotContains(t, err.Error(), "secret")
		}
	}
	got, err := csv[trip](t, "x,id,route,note,cost,y\n\"\n\",5,,,,", source.IgnoreUnknown())
	require.NoError(t, err)
	require.Equal(t, []trip{{ID: 5}}, got)
}

func second[A, B any](_ A, b B) B { return b }

func TestAFileThatIsMissingIsSaidByCheck(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for _, in := range []rxcql.Stream[trip]{source.NDJSON[trip](missing), source.CSV[trip](missing)} {
		p, err := rxcql.New(in, discard[trip]())
		require.NoError(t, err, "constructors do no I/O")
		require.ErrorIs(t, p.Check(context.Background()), fs.ErrNotExist)
		_, err = in.Count(context.Background())
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.ErrorContains(t, err, missing)
	}
	_, err := source.NDJSON[trip](t.TempDir()).Count(context.Background())
	require.ErrorContains(t, err, "is a folder and no regular file")
}

func TestWhatAFileCannotBeReadIntoIsRefusedByNew(t *testing.T) {
	for _, err := range []error{
		second(source.NDJSON[rxcql.Row]("x").Count(context.Background())), second(source.CSV[rxcql.Row]("x").Count(context.Background())),
	} {
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, "rxcql.Row")
	}
	_, err := source.NDJSON[chan int]("", nil, source.MaxLine(1)).Count(context.Background())
	for _, want := range []string{"the path is empty", "an option is nil", "MaxLine(1)", "a chan int cannot be read"} {
		require.ErrorContains(t, err, want)
	}
	_, err = source.CSV[int]("", source.NullText("\""), source.MaxLine(1<<31-1)).Count(context.Background())
	for _, want := range []string{"the path is empty", "null text must", "MaxLine(2147483647)", "an int has no columns"} {
		require.ErrorContains(t, err, want)
	}
}
