package transfer

import (
	"io"
	"path/filepath"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/rowcheck"
	"github.com/rxcql/rxcql/source"
)

// Format is a format of files that tables are unloaded to and loaded from: CSV, NDJSON or
// JSONArray, or one of your own. Rows are undecoded. Its methods do no I/O; errors of options come
// from the streams and sinks that it makes.
type Format interface {
	// Name is what plans and reports call the format, such as csv.
	Name() string
	// Extension is how names of its files end, such as .csv.
	Extension() string
	// Write makes the sink of an unload.
	Write(out Output) rxcql.Sink[rxcql.Row]
	// Read makes the source of a load.
	Read(in Input) rxcql.Stream[rxcql.Row]
}

// Output says where an unload writes to.
type Output struct {
	// Path is a file; or, if Parallel is above 0, a pattern with one %d for files with numbers.
	Path string
	// Writer is what to write to in place of a file, nil for files. Path is then a name for reports.
	Writer io.Writer
	// Columns are those that the rows will have, in order.
	Columns []rxcql.Column
	// Compression is how the files are compressed.
	Compression Compression
	// MaxBytes is the most bytes of a file, and Parallel the number of files written at once; 0 for
	// one file.
	MaxBytes int64
	Parallel int
	// Overwrite says that files which are there are to be replaced; else they are refused.
	Overwrite bool
}

// Input says where a load reads from: one file (Path), files by patterns (Patterns), or what Open
// gives, of which Path is the name for reports.
type Input struct {
	Path     string
	Patterns []string // as filepath.Match has them
	Open     source.Open
	// Columns are those that files may have, with their names in the files. A file without a header
	// has them in this order.
	Columns []rxcql.Column
	// IgnoreUnknown says that other columns of the files are left out; else they are an error.
	IgnoreUnknown bool

	check func(rxcql.Row) error // of each row that was read; nil for none
}

// checks returns the option of a source that checks its rows, if it is to.
func checks[O any](in *Input) (opts []O) {
	if in.check != nil {
		opts = append(opts, rowcheck.Option(in.check).(O)) //nolint:forcetypeassert // see there
	}
	return opts
}

// Compression is how files are compressed.
type Compression uint8

// Ways to compress. A load finds out by the first bytes of a file.
const (
	NoCompression Compression = iota
	Gzip                      // .gz
	Zstd                      // .zst
)

// Extension is what is added to the names of files: .gz, .zst or nothing.
func (c Compression) Extension() string {
	switch c {
	case Gzip:
		return ".gz"
	case Zstd:
		return ".zst"
	}
	return ""
}

// endings are the ends of names that say the format.
var endings = map[string]func() Format{
	".csv": plainCSV, ".ndjson": NDJSON, ".jsonl": NDJSON, ".json": JSONArray,
}

func plainCSV() Format { return CSV(dialect.RFC4180()) }

// CompressedInside is implemented by a Format whose files are compressed inside, so that nothing is
// added to their names.
type CompressedInside interface{ CompressedInside() }

func compressesInside(f Format) bool {
	_, is := f.(CompressedInside)
	return is
}

// byName finds the format and the compression that the end of a file's name says. format is nil if
// it says none.
func (c *filesConfig) byName(path string) (format Format, compression Compression) {
	base := strings.ToLower(filepath.Base(path))
	for _, c := range []Compression{Gzip, Zstd} {
		if rest, found := strings.CutSuffix(base, c.Extension()); found {
			base, compression = rest, c
			break
		}
	}
	if newFormat, known := endings[filepath.Ext(base)]; known {
		return newFormat(), compression
	}
	for _, f := range c.also {
		if strings.HasSuffix(base, strings.ToLower(f.Extension())) {
			return f, compression
		}
	}
	return nil, compression
}
