package transfer

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/csvrow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// letters are the records of a file that BadRecords has written. They are read as they were the
// first time: a record of CSV by the columns of its file, a record of JSON as it is, a row that the
// table refused as that row.
type letters struct {
	path    string
	columns [][]string // those that records of CSV have
	json    bool       // there are records of JSON
	rows    bool       // there are rows
}

// The Go types of rows in letters.
const (
	textLetter  = "string"
	bytesLetter = "[]uint8" // a record that is not UTF-8
	rowLetter   = "rxcql.Row"
)

// lettersIn looks at the letters of a file; it returns nil if the file has none.
func lettersIn(path string) (*letters, error) {
	if is, err := deadletter.IsFile(path); err != nil || !is {
		return nil, err
	}
	l := &letters{path: path}
	n := 0
	for letter, err := range deadletter.Read[json.RawMessage](path) {
		if n++; err != nil {
			return nil, err
		}
		switch {
		case letter.Type == rowLetter:
			l.rows = true
		case letter.Type != textLetter && letter.Type != bytesLetter:
			return nil, fmt.Errorf("%w: %s, line %d: it has no record that could be loaded (of a Parquet file, say): "+
				"correct the file that it comes from, and take the line out", rxcql.ErrSchema, path, n)
		case letter.Columns == nil:
			l.json = true
		case !slices.ContainsFunc(l.columns, func(of []string) bool { return slices.Equal(of, letter.Columns) }):
			l.columns = append(l.columns, letter.Columns)
		}
	}
	return l, nil
}

// read reads the records.
func (l *letters) read(in Input, format Format, columns *loadColumns) rxcql.Stream[rxcql.Row] {
	var streams []rxcql.Stream[rxcql.Row]
	for _, of := range l.columns {
		streams = append(streams, l.csv(in, format, of))
	}
	if l.json {
		open := l.text(func(letter *deadletter.Letter[json.RawMessage]) bool { return letter.Columns == nil }, false)
		streams = append(streams, source.NDJSONReader[rxcql.Row](l.path, open, in.json()...))
	}
	if l.rows {
		streams = append(streams, source.Seq(l.rowsOf(columns)))
	}
	if len(streams) == 1 {
		return streams[0]
	}
	return operators.Concat(streams...)
}

// csv reads the records of CSV that have these columns.
func (l *letters) csv(in Input, format Format, columns []string) rxcql.Stream[rxcql.Row] {
	like, is := format.(csvFormat)
	if !is {
		like = csvFormat{plainCSV().(csvFormat).dialect} //nolint:forcetypeassert // it is one
	}
	latin1 := like.dialect.Encoding == dialect.Latin1
	like.dialect.Header, like.dialect.Encoding = false, dialect.UTF8 // that of letters, whatever the file had
	opts := []source.CSVOption{source.Dialect(like.dialect), source.Types(in.Columns...), source.Header(columns...)}
	if in.IgnoreUnknown {
		opts = append(opts, source.IgnoreUnknown())
	}
	opts = append(opts, checks[source.CSVOption](&in)...)
	open := l.text(func(letter *deadletter.Letter[json.RawMessage]) bool {
		return letter.Columns != nil && slices.Equal(letter.Columns, columns)
	}, latin1)
	return source.CSVReader[rxcql.Row](l.path, open, opts...)
}

// text opens the text of the records that want chooses, each on a line of its own. For all others
// there is an empty line, so that lines have the numbers that they have in the file. latin1 says
// that records which are kept as bytes are in ISO 8859-1.
func (l *letters) text(want func(*deadletter.Letter[json.RawMessage]) bool, latin1 bool) source.Open {
	return func(context.Context) (io.ReadCloser, error) {
		next, stop := iter.Pull2(deadletter.Read[json.RawMessage](l.path))
		return &letterText{next: next, stop: stop, want: want, latin1: latin1}, nil
	}
}

type letterText struct {
	next func() (deadletter.Letter[json.RawMessage], error, bool)
	stop func()
	want func(*deadletter.Letter[json.RawMessage]) bool
	left []byte

	latin1 bool
}

// Read reads the text of one letter after the other.
func (t *letterText) Read(p []byte) (int, error) {
	for len(t.left) == 0 {
		letter, err, more := t.next()
		switch {
		case !more:
			return 0, io.EOF
		case err != nil:
			return 0, err
		}
		if letter.Type != rowLetter && t.want(&letter) {
			if t.left, err = recordOf(&letter); err != nil {
				return 0, err
			}
			if t.latin1 && letter.Type == bytesLetter {
				t.left = csvrow.FromLatin1(nil, t.left)
			}
		}
		t.left = append(t.left, '\n')
	}
	n := copy(p, t.left)
	t.left = t.left[n:]
	return n, nil
}

// Close ends the reading.
func (t *letterText) Close() error {
	t.stop()
	return nil
}

// recordOf is the text of a record. That of JSON becomes one line: a line break in it can only be a
// blank.
func recordOf(letter *deadletter.Letter[json.RawMessage]) (text []byte, err error) {
	var kept string
	if err := json.Unmarshal(letter.Row, &kept); err != nil {
		return nil, errors.New("the record of a letter is not a text")
	}
	text = []byte(kept)
	if letter.Type == bytesLetter {
		if text, err = base64.StdEncoding.DecodeString(kept); err != nil {
			return nil, errors.New("the record of a letter is not base64")
		}
	}
	if letter.Columns == nil {
		text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r"), []byte(" ")), []byte("\n"), []byte(" "))
	}
	return text, nil
}

// rowsOf gives the rows in letters the names that the columns have in files, if the table's sink
// has refused them: those that could not become rows of the table have them still.
func (l *letters) rowsOf(columns *loadColumns) iter.Seq2[rxcql.Row, error] {
	inFiles := map[string]string{}
	for from, to := range columns.names {
		if to != "" {
			inFiles[to] = from
		}
	}
	return func(yield func(rxcql.Row, error) bool) {
		for letter, err := range deadletter.Read[json.RawMessage](l.path) {
			if err == nil && letter.Type != rowLetter {
				continue
			}
			var row rxcql.Row
			if err == nil {
				err = json.Unmarshal(letter.Row, &row)
			}
			if err == nil && row.Columns() != nil && strings.HasPrefix(letter.Stage, "Table ") {
				row = renamed(row, inFiles)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func renamed(row rxcql.Row, names map[string]string) rxcql.Row {
	var list []rxcql.Column
	cells := make([][]byte, row.Len())
	for i, c := range row.Columns().List() {
		if from, known := names[c.Name]; known {
			c.Name = from
		} else {
			c.Name = strings.TrimPrefix(c.Name, notLoaded)
		}
		list, cells[i] = append(list, c), row.Bytes(i)
	}
	return rxcql.NewRow(rxcql.NewColumns(list), cells)
}
