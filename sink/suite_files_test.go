package sink_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/sink"
)

// failFiles makes every write to a file fail; nil where the system cannot do that.
var failFiles func(fail bool)

func TestFilesKeepTheRules(t *testing.T) {
	cols := columnsOf(t, "p", "int", "v", "text")
	row := func(n int, text string) rxcql.Row {
		return rxcql.NewRow(cols, [][]byte{binary.BigEndian.AppendUint32(nil, uint32(n)), []byte(text)})
	}
	all := func(in rxcql.Stream[rxcql.Row]) rxcql.Stream[rxcql.Row] {
		return operators.Filter(in, func(rxcql.Row) bool { return true })
	}
	for name, made := range map[string]func(path string) rxcql.Sink[rxcql.Row]{
		"NDJSON": func(path string) rxcql.Sink[rxcql.Row] { return sink.NDJSON[rxcql.Row](path, sink.Overwrite()) },
		"CSV":    func(path string) rxcql.Sink[rxcql.Row] { return sink.CSV[rxcql.Row](path, sink.Overwrite()) },
		"Tee of Through": func(path string) rxcql.Sink[rxcql.Row] {
			return sink.Tee(sink.Through(all, sink.NDJSON[rxcql.Row](path, sink.Overwrite())))
		},
	} {
		t.Run(name, func(t *testing.T) {
			rxcqltest.TestSink(t, func(t testing.TB) rxcqltest.SinkPlace[rxcql.Row] {
				path := filepath.Join(t.TempDir(), "rows")
				return rxcqltest.SinkPlace[rxcql.Row]{
					Sink: func() rxcql.Sink[rxcql.Row] { return made(path) },
					Row:  func(n int) rxcql.Row { return row(n, "text") },
					Bad:  func(n int) rxcql.Row { return row(n, "\xff") },
					Rows: func() []int { return rowsInFile(t, path) },
					Fail: failFiles,
				}
			})
		})
	}
}

// rowsInFile are the numbers that whole lines of a file begin with.
func rowsInFile(t testing.TB, path string) (rows []int) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	assert.NoError(t, err)
	lines := bytes.Split(data, []byte("\n"))
	for _, line := range lines[:len(lines)-1] {
		line = bytes.TrimPrefix(line, []byte(`{"p":`))
		if n, err := strconv.Atoi(string(bytes.SplitN(line, []byte(","), 2)[0])); err == nil { // else it is the header
			rows = append(rows, n)
		}
	}
	return rows
}
