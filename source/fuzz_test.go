package source_test

import (
	"context"
	"database/sql"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// any thing that a field may be.
type varied struct {
	S string           `cql:"s" json:"s"`
	P *string          `cql:"p" json:"p"`
	N int64            `cql:"n" json:"n"`
	U *uint8           `cql:"u" json:"u"`
	F float64          `cql:"f" json:"f"`
	B []byte           `cql:"b" json:"b"`
	T time.Time        `cql:"t" json:"t"`
	L []string         `cql:"l" json:"l"`
	A any              `cql:"a" json:"a"`
	Q sql.Null[string] `cql:"q" json:"q"`
}

const variedHeader = "s,p,n,u,f,b,t,l,a,q\n"

func awkward() []varied {
	text, empty, small := "a,\"b\"\r\nc\rd\ne\x00\ufeff\u2028 ü ", "", uint8(255)
	zone := time.FixedZone("", -(9*3600 + 30*60))
	return []varied{
		{},
		{S: text, P: &text, L: []string{text, ""}, A: map[string]any{text: []any{text, nil, true}}, Q: sql.Null[string]{V: text, Valid: true}},
		{S: `\N`, P: &empty, U: &small, B: []byte{}, L: []string{}, A: "", Q: sql.Null[string]{Valid: true}},
		{S: " ", N: math.MinInt64, F: math.SmallestNonzeroFloat64, B: []byte{0, 255}, T: time.Date(2024, 2, 29, 23, 59, 59, 999999999, zone)},
		{S: "\\ufffd \ufffd", N: math.MaxInt64, F: -math.MaxFloat64, T: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)},
		{S: "null", F: math.Copysign(0, -1)},
	}
}

func write(t require.TestingT, rows []varied, to rxcql.Sink[varied]) {
	in := source.Seq(func(yield func(varied, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	})
	p, err := rxcql.New(in, to)
	require.NoError(t, err)
	_, err = p.Run(context.Background())
	require.NoError(t, err)
}

// again writes rows and reads them, and requires that they are what they were.
func again(t *testing.T, rows []varied, to func(path string) rxcql.Sink[varied], from func(path string) rxcql.Stream[varied]) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "again")
	write(t, rows, to(path))
	got, err := from(path).Collect(context.Background())
	require.NoError(t, err)
	require.Len(t, got, len(rows))
	for i := range rows {
		want, got := rows[i], got[i]
		require.True(t, want.T.Equal(got.T))
		require.Equal(t, want.T.Format(time.RFC3339Nano), got.T.Format(time.RFC3339Nano))
		require.Equal(t, math.Float64bits(want.F), math.Float64bits(got.F))
		want.T, got.T, want.F, got.F = time.Time{}, time.Time{}, 0, 0
		require.True(t, reflect.DeepEqual(want, got), "%#v\n%#v", want, got)
	}
}

func ndjsonAgain(t *testing.T, rows []varied) {
	t.Helper()
	again(t, rows, func(path string) rxcql.Sink[varied] { return sink.NDJSON[varied](path) },
		func(path string) rxcql.Stream[varied] { return source.NDJSON[varied](path) })
}

func csvAgain(t *testing.T, rows []varied, null string) {
	t.Helper()
	again(t, rows, func(path string) rxcql.Sink[varied] { return sink.CSV[varied](path, sink.NullText(null)) },
		func(path string) rxcql.Stream[varied] { return source.CSV[varied](path, source.NullText(null)) })
}

func TestAwkwardValuesComeBackAsTheyWere(t *testing.T) {
	ndjsonAgain(t, awkward())
	for _, null := range []string{"", `\N`, "null", " "} {
		csvAgain(t, awkward(), null)
	}
	rows := awkward()
	rows[0].F = math.Inf(-1)
	csvAgain(t, rows, "")
}

func TestEmptyTextInAColumnOfItsOwnIsNotAnEmptyLine(t *testing.T) {
	type one struct {
		S string `cql:"s"`
	}
	path := filepath.Join(t.TempDir(), "one")
	in := source.Seq(func(yield func(one, error) bool) { yield(one{}, nil) })
	p, err := rxcql.New(in, sink.CSV[one](path, sink.NullText("-")))
	require.NoError(t, err)
	_, err = p.Run(context.Background())
	require.NoError(t, err)
	got, err := source.CSV[one](path, source.NullText("-")).Collect(context.Background())
	require.NoError(t, err)
	require.Equal(t, []one{{}}, got)
}

func FuzzNDJSON(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed")
	write(f, awkward(), sink.NDJSON[varied](path))
	seed, err := os.ReadFile(path)
	require.NoError(f, err)
	for _, text := range []string{string(seed), "\ufeff{}\r\n\n{}", `{"a":{"b":1e400}}`, `{"s":"\ud800"}`, "null", `{"l":["x"],"l":null}`, "{}{}", "{"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := source.NDJSON[varied](fileWith(t, text)).Collect(context.Background())
		if err == nil {
			ndjsonAgain(t, rows)
		}
	})
}

func FuzzCSV(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed")
	write(f, awkward(), sink.CSV[varied](path))
	seed, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(string(seed[len(variedHeader):]), "")
	for _, text := range []string{"x,,,,,,,,,\r\n\r\n", "\"a\r\nb\"\"\",\"\",-1,7,NaN,0x00,2024-02-29T23:59:59Z,\"[]\",1.0,x", "\"", "a\"b,,,,,,,,,", "\"a\"b,,,,,,,,,"} {
		f.Add(text, "")
		f.Add(text, "x")
	}
	f.Fuzz(func(t *testing.T, text, null string) {
		in := source.CSV[varied](fileWith(t, variedHeader+text), source.NullText(null))
		rows, err := in.Collect(context.Background())
		if err != nil {
			return
		}
		for i := range rows {
			if math.IsNaN(rows[i].F) {
				rows[i].F = 0
			}
		}
		csvAgain(t, rows, null)
	})
}
