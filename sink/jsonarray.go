package sink

import "github.com/rxcql/rxcql"

// JSONArray writes a file that is one array of JSON, with each row as an element on a line of its
// own. NDJSON says what a row may be, how it is written, and the rest; the options are the same. A
// run that fails leaves an array that is not closed. A job with a checkpoint that was stopped has
// closed it, and goes on before its end.
func JSONArray[T any](path string, opts ...NDJSONOption) rxcql.Sink[T] {
	cfg, lines, err := newJSONArray[T](opts)
	return fileSink("JSONArray", path, cfg, lines, err)
}

func newJSONArray[T any](opts []NDJSONOption) (fileConfig, func() lines[T], error) {
	cfg, one, err := newNDJSON[T](opts)
	return cfg, func() lines[T] { return arrayLines[T]{one()} }, err
}

// arrayLines makes lines of JSON the elements of an array.
type arrayLines[T any] struct{ lines[T] }

func (a arrayLines[T]) row(dst []byte, row *T) ([]byte, error) {
	dst, err := a.lines.row(dst, row)
	if err != nil {
		return dst, err
	}
	return dst[:len(dst)-1], nil // without the end of its line
}

func (arrayLines[T]) frame() frame {
	return frame{head: "[\n", between: ",\n", end: "\n]\n", empty: "[]\n"}
}
