package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/gotext"
	"github.com/rxcql/rxcql/internal/jsonline"
	"github.com/rxcql/rxcql/internal/lines"
)

// NDJSON reads a file of one JSON value a line (an object, if T is a struct), in the order of the
// file, in the goroutine that runs the stream.
//
// T may be:
//   - a struct with `cql` tags. Its fields are found by their `json` tags, their `cql` tags,
//     or without regard to case. The package's documentation says how values are read
//     (Forms of values in files).
//   - rxcql.Row, with TypesOf.
//   - any other type, read as encoding/json does: `json` tags name the fields, and bytes are
//     base64. A number in an any is a json.Number.
//
// A field that is missing in the object becomes the zero value. A field that T does not have is an
// error, or is skipped with IgnoreUnknown. A name that occurs twice in an object is an error.
//
// Lines end with \n or \r\n; the last one may end with the file. Empty lines, and a byte order mark
// at the beginning, are skipped. A line is a row that failed (rxcql.WithRowErrors) if it is not
// valid JSON, is not UTF-8, is null where T has no nil, or does not fit T. By default such a line
// ends the stream, after the rows before it have been delivered, with a rxcql.StageError around a
// rxcql.RowError that names file and line. A dead letter has the line as a string, or as a []byte
// if it is not UTF-8.
//
// A line that is longer than MaxLine ends the stream under every policy.
//
// Check reports a file that is missing, cannot be read, is not a regular file, or is of another
// kind: compressed, in UTF-16, one JSON array. A file that a sink writes to, in this run or
// another, is refused (not on Windows).
//
// Pages have up to 512 rows (PageRows), fewer where rows are large. In memory are the page and the
// longest line. Between rows the source looks for Stop and cancel.
//
// NDJSON can be part of a job with a checkpoint. The checkpoint has the offset after the settled
// rows, and a checksum of up to 4 KiB before it.
//
//   - A file of another name, one that is shorter than the offset, or one that has other bytes
//     before it, is rxcql.ErrCheckpointForeign.
//   - The file may be in another folder, and it may have grown. Until the job is completed, that
//     holds for a file that was read to its end as well: what was appended is read when the job
//     goes on.
//   - If the last line had no line end when it was read, only a line end may have been added to it.
//   - A job recognizes files by name, so New refuses two of the same name in one job, also in
//     different folders.
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
	err = errors.Join(err, rowTypes[T](&cfg))
	_, own := any(new(T)).(json.Unmarshaler)
	objects := !own && (rt.Kind() == reflect.Struct || rt.Kind() == reflect.Map)
	plan, planErr := gotext.NewRow[T](cfg.loose)
	err = errors.Join(err, planErr)
	s.format = func(ctx context.Context) fileFormat[T] {
		if isRow[T]() {
			return any(&jsonRows{ctx: ctx, cfg: cfg}).(fileFormat[T]) //nolint:forcetypeassert // T is a Row
		}
		return &ndjson[T]{loose: cfg.loose, nilable: nilable, objects: objects, plan: plan}
	}
	return s.stream(err)
}

type ndjson[T any] struct {
	ndjsonLines
	loose, nilable bool
	objects        bool // T is read from objects alone
	plan           *gotext.Row[T]
}

func (n *ndjson[T]) begin(in *lines.Reader) ([]rxcql.Fact, error) {
	if n.objects {
		return nil, refuseArray(in)
	}
	return nil, nil
}

// refuseArray refuses a file that is one JSON array.
func refuseArray(in *lines.Reader) error {
	first, err := in.Peek(4 << 10)
	if err == nil && jsonArray(first) {
		err = errJSONArray
	}
	return err
}

var errNull = fmt.Errorf("%w: null where a value is needed", jsonline.ErrUnfit)

// ndjsonLines splits a file into lines.
type ndjsonLines struct{}

func (ndjsonLines) record(in *lines.Reader) ([]byte, error) {
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
	if n.plan != nil {
		return n.plan.Read(text, into)
	}
	return jsonline.Read(text, into, n.loose)
}
