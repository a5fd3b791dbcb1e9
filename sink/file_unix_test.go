//go:build unix

package sink_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/sink"
)

// trip is a row of a file.
type trip struct {
	ID    int64            `cql:"id" json:"id"`
	Route string           `cql:"route" json:"route"`
	Note  *string          `cql:"note" json:"note,omitempty"`
	Cost  sql.Null[uint16] `cql:"cost" json:"-"`
	Local int              `json:"-"`
}

func someTrips() rxcql.Stream[trip] {
	note := "said \"no\",\r\ntwice"
	return sequence(trip{ID: 1, Route: "a<b>&c"}, trip{ID: 2, Route: "", Note: &note, Cost: sql.Null[uint16]{V: 7, Valid: true}},
		trip{ID: math.MinInt64, Route: "ü,\x00", Note: new(string)})
}

func TestNDJSONWritesALineARowInTheOrderOfTheStream(t *testing.T) {
	path := outPath(t)
	rep, err := run(t, someTrips(), sink.NDJSON[trip](path))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, 3, rep.Written)
	require.Equal(t, "NDJSON out", rep.Stages[len(rep.Stages)-1].Name)
	require.Equal(t, `{"id":1,"route":"a<b>&c"}
{"id":2,"route":"","note":"said \"no\",\r\ntwice"}
{"id":-9223372036854775808,"route":"ü,\u0000","note":""}
`, content(t, path))

	many := outPath(t)
	_, err = run(t, ints(100_000), sink.NDJSON[int](many))
	require.NoError(t, err)
	var want strings.Builder
	for i := range 100_000 {
		fmt.Fprintln(&want, i)
	}
	require.Equal(t, want.String(), content(t, many))
}

func TestCSVWritesAHeaderAndARecordARow(t *testing.T) {
	path := outPath(t)
	_, err := run(t, someTrips(), sink.CSV[trip](path))
	require.NoError(t, err)
	require.Equal(t, "id,route,note,cost\n1,a<b>&c,,\n2,\"\",\"said \"\"no\"\",\r\ntwice\",7\n-9223372036854775808,\"ü,\x00\",\"\",\n", content(t, path))

	_, err = run(t, someTrips(), sink.CSV[trip](path, sink.Overwrite(), sink.NullText(`\N`)))
	require.NoError(t, err)
	require.Equal(t, "id,route,note,cost\n1,a<b>&c,\\N,\\N\n2,\"\",\"said \"\"no\"\",\r\ntwice\",7\n-9223372036854775808,\"ü,\x00\",\"\",\\N\n", content(t, path))

	// A text that is the null text is told from it.
	_, err = run(t, sequence(trip{Route: `\N`}), sink.CSV[trip](path, sink.Overwrite(), sink.NullText(`\N`)))
	require.NoError(t, err)
	require.Contains(t, content(t, path), "0,\"\\N\",\\N,\\N\n")

	empty := outPath(t)
	_, err = run(t, sequence[trip](), sink.CSV[trip](empty))
	require.NoError(t, err)
	require.Equal(t, "id,route,note,cost\n", content(t, empty))
}

func TestAFileSinkMakesItsFileAndRefusesOneThatIsNotEmpty(t *testing.T) {
	path := outPath(t)
	_, err := run(t, ints(3), sink.NDJSON[int](path))
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	umask := syscall.Umask(0)
	syscall.Umask(umask)
	require.Equal(t, fs.FileMode(0o644&^umask), info.Mode())

	rep, err := run(t, ints(5), sink.NDJSON[int](path))
	require.ErrorIs(t, err, fs.ErrExist)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "sink.Overwrite()")
	require.Zero(t, rep.Pages, "refused before anything is read")
	require.Equal(t, "0\n1\n2\n", content(t, path))

	_, err = run(t, ints(1), sink.NDJSON[int](path, sink.Overwrite()))
	require.NoError(t, err)
	require.Equal(t, "0\n", content(t, path))

	require.NoError(t, os.Truncate(path, 0))
	_, err = run(t, ints(2), sink.NDJSON[int](path))
	require.NoError(t, err)
	require.Equal(t, "0\n1\n", content(t, path))
}

func TestOverwriteLeavesTheFileUntilSomethingIsWritten(t *testing.T) {
	path, broken := outPath(t), errors.New("broken")
	require.NoError(t, os.WriteFile(path, []byte("old\n"), 0o600))
	in := rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(context.Context, *rxcql.Stage, flow.Observer[int]) error { return broken })
	_, err := run(t, in, sink.NDJSON[int](path, sink.Overwrite()))
	require.ErrorIs(t, err, broken)
	require.Equal(t, "old\n", content(t, path))
}

func TestWhatIsWrongWithAPathIsSaidByCheck(t *testing.T) {
	folder := t.TempDir()
	pipe := filepath.Join(folder, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for path, want := range map[string]string{
		folder: "is a folder and no regular file", pipe: "is a pipe and no regular file", "/dev/full": "is a device and no regular file",
		filepath.Join(folder, "none", "out"): "no such file or directory",
	} {
		p, err := rxcql.New(ints(1), sink.NDJSON[int](path))
		require.NoError(t, err)
		require.ErrorContains(t, p.Check(context.Background()), want)
		rep, err := p.Run(context.Background())
		require.ErrorContains(t, err, want)
		require.Zero(t, rep.Pages)
	}
}

func TestWhatAFileSinkCannotWorkWithIsRefusedByNew(t *testing.T) {
	require.ErrorContains(t, config(sink.NDJSON[int]("", nil)), "the path is empty")
	require.ErrorContains(t, config(sink.NDJSON[int]("", nil)), "an option is nil")
	err := config(sink.CSV[int]("", sink.NullText("a,b")))
	for _, want := range []string{"sink.CSV", "the path is empty", "null text must have no comma", "an int has no columns"} {
		require.ErrorContains(t, err, want)
	}
	type odd struct {
		A chan int       `cql:"a"`
		B **int          `cql:"b"`
		C fmt.Stringer   `cql:"c"`
		D *[]byte        `cql:"d"`
		E map[string]int `cql:"e"`
	}
	err = config(sink.CSV[odd]("x"))
	for _, want := range []string{"field A (chan int)", "field B (**int): CSV has one null", "field C (fmt.Stringer)", "field D (*[]uint8)"} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "field E")
	type alone struct {
		A *int `cql:"a"`
	}
	require.ErrorContains(t, config(sink.CSV[alone]("x")), "empty line")
	require.NoError(t, config(sink.CSV[alone]("x", sink.NullText("-"))))
}

func TestARowThatHasNoTextIsNamedAndItsPageTakenBack(t *testing.T) {
	type num struct {
		F float64 `json:"f"`
		S string  `json:"s"`
	}
	for name, bad := range map[string]num{"NaN": {F: math.NaN()}, "not UTF-8": {S: "secret\xff"}} {
		t.Run(name, func(t *testing.T) {
			path := outPath(t)
			rows := make([]num, 1000)
			rows[700] = bad
			rep, err := run(t, sequence(rows...), sink.NDJSON[num](path))
			var stage *rxcql.StageError
			require.ErrorAs(t, err, &stage)
			require.Equal(t, "NDJSON out", stage.Stage)
			var row *rxcql.RowError
			require.ErrorAs(t, err, &row)
			require.Equal(t, rxcql.RowError{Range: "all", Page: 1, Row: 188, Err: row.Err}, *row)
			require.NotContains(t, err.Error(), "secret")
			require.NotContains(t, err.Error(), "NaN")
			require.Equal(t, strings.Repeat("{\"f\":0,\"s\":\"\"}\n", 512), content(t, path), "whole pages")
			require.EqualValues(t, 512, rep.Written)
			require.EqualValues(t, 1, rep.PagesSettled)
			require.Zero(t, rep.BytesInFlight)
		})
	}
	path := outPath(t)
	_, err := run(t, sequence(num{S: "a \\ufffd and a \ufffd \\\\ufffd"}), sink.NDJSON[num](path))
	require.NoError(t, err)
}

type explosive struct{}

func (explosive) MarshalJSON() ([]byte, error) { panic("boom") }

func TestAPanicOfAMarshalerIsAStageError(t *testing.T) {
	_, err := run(t, sequence(explosive{}), sink.NDJSON[explosive](outPath(t)))
	require.ErrorIs(t, err, rxcql.ErrPanic)
}

func TestAFileIsWrittenByOneRunAtATime(t *testing.T) {
	path := outPath(t)
	_, err := run(t, ints(3), sink.Tee(sink.NDJSON[int](path), sink.NDJSON[int](path)))
	require.ErrorContains(t, err, "another run writes this file")
	require.ErrorContains(t, err, path)
	_, err = run(t, ints(3), sink.NDJSON[int](path))
	require.NoError(t, err, "the lock ends with the run")
}

func TestAFileThatIsTakenAwayOrWrittenByOthersMeanwhileIsNoticed(t *testing.T) {
	for name, meddle := range map[string]func(path string) error{
		"was removed or replaced": os.Remove,
		"something else writes": func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			defer f.Close()
			_, err = f.WriteString("x")
			return err
		},
	} {
		path := outPath(t)
		both := sink.Tee(sink.NDJSON[int](path), sink.Each(func(_ context.Context, n int) error {
			if n == 7 {
				return meddle(path)
			}
			return nil
		}))
		_, err := run(t, ints(10), both)
		require.ErrorContains(t, err, name)
	}
}
