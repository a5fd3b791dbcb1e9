package source

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/jsonline"
	"github.com/rxcql/rxcql/internal/lines"
)

// NDJSON reads a file of one JSON value a line, an object for a struct, in the
// order of the file, in the goroutine that runs the stream. Values are read by
// encoding/json, so `json` tags name the fields, not `cql` tags; numbers in an
// any are json.Number. A field that the object has not is the zero value; one
// that T has not is an error, or passed over with IgnoreUnknown. T is not
// rxcql.Row, since JSON does not tell the types of columns.
//
// Lines end with \n or \r\n, the last one with the file too; empty ones, and a
// byte order mark at the beginning, are passed over. A line that is no valid JSON,
// not UTF-8, null where T has no nil, or does not fit T is a row that failed
// (rxcql.WithRowErrors): by default it ends the stream with a rxcql.StageError
// around a rxcql.RowError that names file and line, and rows before it have been
// delivered; a dead letter has the line as a string, or as a []byte if it is not
// UTF-8. A line that is longer than MaxLine ends the stream under every policy.
// Check reports a file that is missing or cannot be read, or is no regular file.
// A file that a sink writes to, in this run or another, is refused (not on Windows).
//
// Pages have up to 512 rows (PageRows), fewer where rows are large. Held are the
// page and the longest line. Between rows the source looks for Stop and cancel.
//
// It can be part of a job with a checkpoint, which keeps the offset behind the
// settled rows and a checksum of up to 4 KiB before it. A file that is shorter
// then, or has others there, is rxcql.ErrCheckpointForeign, as is one of another
// name; it may lie in another folder, and may have grown. That holds as well for a
// file that was read to its end, for as long as the job has not been completed:
// what has been appended is read when the job goes on. If the last line had no end
// then, nothing but that may have come to it. Since a job knows files by name, New
// refuses two of one name in one job, in different folders too.
func NDJSON[T any](path string, opts ...NDJSONOption) rxcql.Stream[T] {
	cfg, err := newFileConfig(path, opts, NDJSONOption.applyNDJSON)
	s := &file[T]{name: "NDJSON", path: path, cfg: cfg}
	rt := reflect.TypeFor[T]()
	nilable := false
	switch rt.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		nilable = true
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		err = errors.Join(err, fmt.Errorf("%s cannot be read from JSON", codec.A(rt)))
	}
	if isRow[T]() {
		err = errors.Join(err, errNoRow)
	}
	s.format = func() fileFormat[T] { return &ndjson[T]{loose: cfg.loose, nilable: nilable} }
	return s.stream(err)
}

var errNoRow = errors.New("a file does not tell the types of columns that rxcql.Row needs; use a struct")

type ndjson[T any] struct{ loose, nilable bool }

func (*ndjson[T]) begin(*lines.Reader) ([]rxcql.Fact, error) { return nil, nil }

var errNull = fmt.Errorf("%w: null where a value is needed", jsonline.ErrUnfit)

func (*ndjson[T]) record(in *lines.Reader) ([]byte, error) {
	line, err := in.Record(nil)
	if err == nil && len(bytes.TrimSpace(line)) == 0 {
		in.Accept()
		return nil, nil
	}
	return line, err
}

func (n *ndjson[T]) row(line []byte, into *T) error {
	text := bytes.TrimSpace(line)
	if string(text) == "null" && !n.nilable {
		return errNull
	}
	return jsonline.Read(text, into, n.loose)
}
