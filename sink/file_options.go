package sink

import (
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/csvrow"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/pack"
)

// NDJSONOption is an option of NDJSON, and of JSONArray.
type NDJSONOption interface{ applyNDJSON(*fileConfig) error }

// CSVOption is an option of CSV.
type CSVOption interface{ applyCSV(*fileConfig) error }

// FileOption is an option of the sinks that write files.
type FileOption interface {
	NDJSONOption
	CSVOption
}

// fileConfig has the options of sinks that write files.
type fileConfig struct {
	overwrite bool
	null      string
	nullGiven bool
	pack      pack.Kind
	maxBytes  int64 // 0: a file has no bound
	parallel  int   // 0: one
	header    []string
	dialect   *dialect.Text // nil for the package's own forms
}

// many reports whether the path is a pattern.
func (c *fileConfig) many() bool { return c.maxBytes > 0 || c.parallel > 0 }

// facts are what must be the same when a job goes on.
func (c *fileConfig) facts() (facts []rxcql.Fact) {
	if c.pack != pack.None {
		facts = append(facts, rxcql.Fact{Name: "compression", Value: c.pack.String()})
	}
	if c.dialect != nil {
		d := c.dialect.Dialect()
		zone := "none"
		if d.Zone != nil {
			zone, d.Zone = d.Zone.String(), nil // as text it is an address, another one in each process
		}
		facts = append(facts, rxcql.Fact{Name: "dialect", Value: fmt.Sprintf("%+v, zone %s", d, zone)})
	}
	return facts
}

func newFileConfig[O any](opts []O, apply func(O, *fileConfig) error) (cfg fileConfig, err error) {
	err = option.Apply(opts, &cfg, apply)
	return cfg, err
}

// fileOption is an option of all sinks that write files.
type fileOption func(*fileConfig) error

func (fn fileOption) applyNDJSON(c *fileConfig) error { return fn(c) }
func (fn fileOption) applyCSV(c *fileConfig) error    { return fn(c) }

// csvOption is an option of CSV only.
type csvOption func(*fileConfig) error

func (fn csvOption) applyCSV(c *fileConfig) error { return fn(c) }

// Overwrite lets a file sink begin in a file that is not empty. Its content is lost when the first
// page comes, or at the end of a run without rows; in a job with a checkpoint, when reading begins.
// With MaxBytes or Parallel all files of the pattern that are there are removed at that moment.
// When a job goes on, Overwrite changes nothing.
func Overwrite() FileOption {
	return fileOption(func(c *fileConfig) error {
		c.overwrite = true
		return nil
	})
}

// NullText sets how CSV writes null. By default it writes nothing; `\N` and NULL are common. Text
// that equals it is put in quotes, so that it is not taken for null.
func NullText(text string) CSVOption {
	return csvOption(func(c *fileConfig) error {
		c.null, c.nullGiven = text, true
		return csvrow.CheckNull(c.null)
	})
}

// Header names the columns of rows that are rxcql.Row, so that a file without rows has its header
// too. Rows with other columns, or with the same in another order, are rows that failed. A struct
// names its own columns.
func Header(columns ...string) CSVOption {
	return csvOption(func(c *fileConfig) error {
		c.header = columns
		if len(columns) == 0 {
			return errors.New("Header(): name at least one column")
		}
		return nil
	})
}

// Dialect writes the CSV of another program: what separates fields and is around them, what null
// is, and how values are spelled. Rows must be rxcql.Row: values of a struct have the forms of Go
// types only. The null text is that of the dialect, so leave NullText out. Check what the other
// program makes of the values at dialect.Cqlsh and dialect.DSBulk.
func Dialect(d dialect.Dialect) CSVOption {
	return csvOption(func(c *fileConfig) (err error) {
		if c.dialect, err = dialect.NewText(d); err != nil {
			return fmt.Errorf("Dialect: %w", err)
		}
		return nil
	})
}

// dialectError returns what does not go together with the dialect.
func (c *fileConfig) dialectError(isRow bool) error {
	var errs []error
	if c.nullGiven {
		errs = append(errs, errors.New("NullText: a Dialect has its own null; set its field Null"))
	}
	if !isRow {
		errs = append(errs, errors.New("Dialect: values of Go types are not written in a dialect; write rxcql.Row"))
	}
	_, err := newDialectRows(*c, csvrow.FormOf(c.dialect.Dialect())).headerOf(c.header)
	return errors.Join(append(errs, err)...)
}

// Gzip compresses files (gzip, RFC 1952). A job with a checkpoint ends a member at each save; any
// reader of gzip reads members that follow each other as one file. So saves that are seconds apart
// cost some of the compression.
//
// In memory are the text of one page and about 1 MiB, for each file that is written at once. When a
// run fails, the file ends with the last whole page that was compressed; after a failure to write,
// with the last save.
func Gzip() FileOption { return packed(pack.Gzip) }

// Zstd compresses files (zstd, RFC 8878, in frames of a window of 1 MiB). What Gzip says holds here
// too, with about 4 MiB for the compressor.
func Zstd() FileOption { return packed(pack.Zstd) }

func packed(kind pack.Kind) FileOption {
	return fileOption(func(c *fileConfig) error {
		if c.pack != pack.None && c.pack != kind {
			return errors.New("Gzip and Zstd: a file is compressed in one way; give one of them")
		}
		c.pack = kind
		return nil
	})
}

const minMaxBytes = 4 << 10

// MaxBytes makes a file sink write files of at most n bytes, from 4 KiB on, each with a number in
// its name: see Parallel. A row that is larger has a file of its own, and what comes before and
// after the rows is not counted. A compressed file may be larger by what the compressor holds, at
// most 2 MiB.
func MaxBytes(n int64) FileOption {
	return fileOption(func(c *fileConfig) error {
		c.maxBytes = n
		if n < minMaxBytes {
			return fmt.Errorf("MaxBytes(%d): must be at least %d", n, minMaxBytes)
		}
		return nil
	})
}

// Parallel makes a file sink write n files at once, from 1 to 64, each in a goroutine of its own.
// That helps where compressing takes longer than reading. MaxBytes alone is Parallel(1).
//
// With Parallel or MaxBytes, the path is a pattern such as "out/part-%05d.csv": one %d, or %0nd for
// numbers of at least n digits, in its last element. Numbers begin at 0. While a file is written it
// has .part at the end of its name; with its final name it is whole and durable. Each file is
// complete in itself, with a header if the format has one. If there are no rows there is one file,
// without rows.
//
// Rows of one page of the source are in one file, or in files that follow each other, in order.
// With several at once there is no order between the pages.
//
// Files of the pattern that are there, complete or not, are refused except with Overwrite. A run
// that fails leaves its files: those without .part are whole.
//
// In a job with a checkpoint each row is in one file once. A job that goes on removes files with
// numbers that came after its last save, and cuts the files that were open then, also if they were
// completed since. Files that were complete at the save are not looked at; you may move them away
// while the job runs, once no file of that number comes back after a crash: when the job is
// complete.
func Parallel(n int) FileOption {
	return fileOption(func(c *fileConfig) error {
		c.parallel = n
		if n < 1 || n > 64 {
			return fmt.Errorf("Parallel(%d): must be from 1 to 64", n)
		}
		return nil
	})
}
