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
// A file that is compressed with gzip or zstd is decompressed, whatever its name is. A zstd frame
// may have a window of up to 128 MiB, which is held in memory. With Dialect, values in JSON have
// the forms of that: base64, for example.
//
// Check reports a file that is missing, cannot be read, is not a regular file, or is of another
// kind: compressed in another way, in UTF-16, one JSON array. A file that a sink writes to, in this
// run or another, is refused (not on Windows).
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
//   - Of a compressed file the offset is in the text. A job that goes on decompresses it up to
//     there.
//   - If the last line had no line end when it was read, only a line end may have been added to it.
//   - A job recognizes files by name, so New refuses two of the same name in one job, also in
//     different folders.
func NDJSON[T any](path string, opts ...NDJSONOption) rxcql.Stream[T] {
	cfg, format, err := newJSON[T](opts, false)
	return fileSource("NDJSON", path, cfg, format, err)
}

// NDJSONReader reads one JSON value a line from what open gives, such as an HTTP response or
// standard input (Once(os.Stdin)). name stands for it in errors, and a job knows it by that. What
// NDJSON says holds here too, with these differences:
//
//   - Check does not open it, since what is read of a pipe is gone.
//   - How far the source is is not known, so a run cannot say when it ends.
//   - A job goes on by reading again up to where it was, and compares the bytes before. So open
//     must give the same bytes again.
func NDJSONReader[T any](name string, open Open, opts ...NDJSONOption) rxcql.Stream[T] {
	cfg, format, err := newJSON[T](opts, false)
	return readerSource("NDJSON", name, open, cfg, format, err)
}

// NDJSONFiles reads several files of one JSON value a line; see NDJSON and CSVFiles.
func NDJSONFiles[T any](patterns []string, opts ...NDJSONOption) rxcql.Stream[T] {
	cfg, format, err := newJSON[T](opts, false)
	return filesSource("NDJSON", patterns, cfg, format, err)
}

// newJSON returns what decodes lines, or the elements of one array.
func newJSON[T any](opts []NDJSONOption, array bool) (fileConfig, format[T], error) {
	cfg, err := newFileConfig(opts, NDJSONOption.applyNDJSON)
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
	objects := !array && !own && (rt.Kind() == reflect.Struct || rt.Kind() == reflect.Map)
	var of format[T]
	switch {
	case isRow[T]():
		of = func(ctx context.Context, cfg fileConfig) fileFormat[T] {
			return any(&jsonRows{ctx: ctx, cfg: cfg, array: array}).(fileFormat[T]) //nolint:forcetypeassert // T is a Row
		}
	case cfg.text != nil:
		typed, typedErr := newTyped[T]()
		err = errors.Join(err, typedErr)
		of = func(_ context.Context, cfg fileConfig) fileFormat[T] {
			return &jsonTyped[T]{typed: typed.fork(), cfg: cfg, array: array}
		}
	default:
		plan, planErr := gotext.NewRow[T](cfg.loose)
		err = errors.Join(err, planErr)
		of = func(_ context.Context, cfg fileConfig) fileFormat[T] {
			return &ndjson[T]{loose: cfg.loose, nilable: nilable, objects: objects, plan: plan}
		}
	}
	if array {
		of = withElements(of)
	}
	return cfg, of, err
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
