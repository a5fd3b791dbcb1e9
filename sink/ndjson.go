package sink

import (
	"errors"
	"reflect"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/gotext"
	"github.com/rxcql/rxcql/internal/jsonline"
)

// NDJSON writes every row as a line of JSON into a file, in the order of the stream. T may be:
//   - a struct with `cql` tags: an object. Fields have the names of their `json` tags, or
//     else of their `cql` tags, or else of Go; omitempty, omitzero and string mean what
//     they mean to encoding/json. Fields without a `cql` tag are written too, except
//     those tagged cql:"-" that have no `json` tag.
//   - rxcql.Row: an object of all columns in their order, under the server's names.
//     Cassandra's INSERT … JSON takes it, except for years beyond 0 to 9999.
//   - any other type: as encoding/json writes it, but without escapes for HTML. Methods
//     that a type has on its pointer are called in maps and in an any too.
//
// The documentation of package source says how values of the first two are written (Forms of values
// in files), and source.NDJSON reads them.
//
// New refuses what JSON would lose: a struct with no exported field, two fields of one name, a
// method MarshalJSON or MarshalText that comes from an embedded field. Other unexported fields are
// not written. Nor is a field tagged json:"-", even if it is a column of the primary key.
//
// The file is created with mode 0644, less the umask. Its folder must exist. Refused are:
//
//   - a file that is not empty, except with Overwrite or when a job goes on;
//   - a file that another run writes, if the system has locks;
//   - a path that does not lead to a regular file.
//
// A page is settled when the operating system has it. It is durable (fsync) at the end of the run,
// and at each save of a job. When a write fails, or a row ends the run, what was written of the
// page is cut off, so the file ends with the last whole page. In memory is one buffer of 64 KiB, or
// of the largest row.
//
// In a job with a checkpoint each row is in the file once, however often the job is interrupted:
// every save makes the file durable and keeps its length, and a job that goes on cuts off what came
// after.
//
//   - If the file is missing, is shorter than that, or has other bytes before that point (the last
//     4 KiB are compared), the error is rxcql.ErrCheckpointForeign.
//   - The file may be moved to another folder, under the same name.
//   - A job that was completed and is run again needs Overwrite.
//   - GroupAdjacent, and Batch without BatchLinger, cannot stand before the sink: they hold rows
//     from page to page, and a save waits until none are held.
//
// A row that JSON cannot hold (text that is not UTF-8, two keys of a map with the same text) is a
// row that failed (rxcql.WithRowErrors): by default it ends the run with a rxcql.StageError around
// a rxcql.RowError, else the row is left out.
func NDJSON[T any](path string, opts ...NDJSONOption) rxcql.Sink[T] {
	cfg, lines, err := newNDJSON[T](opts)
	return fileSink("NDJSON", path, cfg, lines, err)
}

// newNDJSON returns what makes the text of rows.
func newNDJSON[T any](opts []NDJSONOption) (cfg fileConfig, text func() lines[T], err error) {
	cfg, err = newFileConfig(opts, NDJSONOption.applyNDJSON)
	if isRow[T]() {
		return cfg, func() lines[T] { return any(&jsonRows{}).(lines[T]) }, err
	}
	plan, planErr := gotext.NewRow[T](false)
	if plan == nil {
		planErr = errors.Join(planErr, jsonline.CheckType(reflect.TypeFor[T]()))
	}
	return cfg, func() lines[T] { return jsonLines[T]{plan} }, errors.Join(err, planErr)
}

// jsonLines writes structs with `cql` tags by their plan, and other rows as encoding/json does.
type jsonLines[T any] struct{ plan *gotext.Row[T] }

func (jsonLines[T]) goOn([]string) error { return nil }

func (jsonLines[T]) columns() []string { return nil }

func (jsonLines[T]) frame() frame { return frame{} }

func (j jsonLines[T]) row(dst []byte, row *T) ([]byte, error) {
	if j.plan != nil {
		dst, err := j.plan.Append(dst, row)
		return append(dst, '\n'), err
	}
	dst, err := jsonline.Append(dst, row)
	return append(dst, '\n'), err
}

// jsonRows writes undecoded rows.
type jsonRows struct {
	header rowHeader
	names  [][]byte // with quotes and colon
}

func (j *jsonRows) goOn([]string) error { return nil }

func (j *jsonRows) columns() []string { return nil }

func (j *jsonRows) frame() frame { return frame{} }

func (j *jsonRows) row(dst []byte, row *rxcql.Row) ([]byte, error) {
	if changed, err := j.header.of(row); err != nil {
		return dst, err
	} else if changed {
		j.names = nil
		for _, name := range j.header.names {
			text, err := codec.AppendJSONText(nil, name)
			if err != nil {
				j.header = rowHeader{}
				return dst, err
			}
			j.names = append(j.names, append(text, ':'))
		}
	}
	dst = append(dst, '{')
	for i, col := range j.header.list {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = codec.AppendJSON(append(dst, j.names[i]...), col.Type, row.Bytes(i)); err != nil {
			return dst, columnError(col, err)
		}
	}
	return append(dst, "}\n"...), nil
}
