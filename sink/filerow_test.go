package sink_test

import (
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/sink"
)

func columnsOf(t *testing.T, pairs ...string) *rxcql.Columns {
	t.Helper()
	var list []rxcql.Column
	for i := 0; i < len(pairs); i += 2 {
		typ, err := codec.Parse(pairs[i+1], nil)
		require.NoError(t, err)
		list = append(list, rxcql.Column{Name: pairs[i], Type: typ})
	}
	return rxcql.NewColumns(list)
}

func undecoded(t *testing.T) rxcql.Stream[rxcql.Row] {
	cols := columnsOf(t, "id", "int", `Odd "name"`, "text", "tags", "set<text>", "at", "timestamp")
	again := columnsOf(t, "id", "int", `Odd "name"`, "text", "tags", "set<text>", "at", "timestamp") // as of another page
	return sequence(
		rxcql.NewRow(cols, [][]byte{{0, 0, 0, 7}, []byte("a,b\n"), {0, 0, 0, 1, 0, 0, 0, 1, 'x'}, {0, 0, 0, 0, 0, 0, 0, 9}}),
		rxcql.NewRow(cols, [][]byte{nil, nil, nil, nil}),
		rxcql.NewRow(again, [][]byte{{255, 255, 255, 255}, {}, nil, {}}))
}

func TestUndecodedRowsAreObjectsByColumn(t *testing.T) {
	path := outPath(t)
	_, err := run(t, undecoded(t), sink.NDJSON[rxcql.Row](path))
	require.NoError(t, err)
	require.Equal(t, `{"id":7,"Odd \"name\"":"a,b\n","tags":["x"],"at":"1970-01-01T00:00:00.009Z"}
{"id":null,"Odd \"name\"":null,"tags":null,"at":null}
{"id":-1,"Odd \"name\"":"","tags":null,"at":""}
`, content(t, path))
}

func TestUndecodedRowsAreRecordsUnderAHeader(t *testing.T) {
	path := outPath(t)
	_, err := run(t, undecoded(t), sink.CSV[rxcql.Row](path))
	require.NoError(t, err)
	require.Equal(t, `id,"Odd ""name""",tags,at
7,"a,b
","[""x""]",1970-01-01T00:00:00.009Z
,,,
-1,"",,""
`, content(t, path))
}

func TestUndecodedRowsThatDoNotFitAreRowErrors(t *testing.T) {
	one := rxcql.NewRow(columnsOf(t, "a", "int"), [][]byte{nil})
	two := rxcql.NewRow(columnsOf(t, "a", "int", "b", "int"), [][]byte{nil, nil})
	for want, c := range map[string]struct {
		rows []rxcql.Row
		to   func(path string) rxcql.Sink[rxcql.Row]
	}{
		`the row has the columns ["a" "b"], and the file ["a"]`: {[]rxcql.Row{one, two}, csvRowSink("-")},
		"single column":          {[]rxcql.Row{one}, csvRowSink("")},
		"the row has no columns": {[]rxcql.Row{{}}, csvRowSink("")},
		`column "b" (int)`:       {[]rxcql.Row{rxcql.NewRow(two.Columns(), [][]byte{nil, {1}})}, csvRowSink("")},
	} {
		_, err := run(t, sequence(c.rows...), c.to(outPath(t)))
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row)
		require.ErrorContains(t, err, want)
	}
}

func csvRowSink(null string) func(string) rxcql.Sink[rxcql.Row] {
	return func(path string) rxcql.Sink[rxcql.Row] { return sink.CSV[rxcql.Row](path, sink.NullText(null)) }
}

func TestARowThatAFileCannotHoldCanBeSkippedAndIsNotWritten(t *testing.T) {
	path := outPath(t)
	rep, err := run(t, sequence(1.5, math.NaN(), 2.5, math.Inf(1)), sink.NDJSON[float64](path), rxcql.WithRowErrors(rxcql.SkipRows(2)))
	require.NoError(t, err)
	require.EqualValues(t, 2, rep.Written)
	require.EqualValues(t, 2, rep.Skipped)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "1.5\n2.5\n", string(text))
}

func TestAFileSinkAllocatesLittleForARow(t *testing.T) {
	path := outPath(t)
	allocs := testing.AllocsPerRun(1, func() {
		_, err := run(t, partitionsOf(50_000), sink.CSV[event](path, sink.Overwrite()))
		require.NoError(t, err)
	})
	require.Less(t, allocs, 100_000.0, "at most the text of a row")
}

func partitionsOf(n int) rxcql.Stream[event] { return sequence(partitions(n/100, 100)...) }
