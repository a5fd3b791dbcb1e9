package transfer

import (
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/sink"
)

// LoadOption is an option of Load.
type LoadOption interface{ applyLoad(*loadConfig) error }

// loadConfig has the options of Load.
type loadConfig struct {
	config
	filesConfig
	renames     map[string]string // a column of the files to its name in the table
	fileColumns []string
	ignore      bool
	ttl, stamp  string // columns of the files
	nullsDelete bool
	spread      []sink.TableOption // none without Spread
	bad         string             // path of the letters
	most        int64              // -1: by percent
	percent     float64
	after       int64
	limited     bool
}

// loadOption is an option of Load only.
type loadOption func(*loadConfig) error

func (o loadOption) applyLoad(c *loadConfig) error { return o(c) }

// Into loads a column of the files into a column of the table that has another name. Names are
// exactly as the header and the schema spell them.
func Into(inFiles, inTable string) LoadOption {
	return loadOption(func(c *loadConfig) error {
		if inFiles == "" || inTable == "" {
			return errors.New("Into: a name is empty")
		}
		if _, twice := c.renames[inFiles]; twice {
			return fmt.Errorf("Into: column %q is given twice", inFiles)
		}
		if c.renames == nil {
			c.renames = map[string]string{}
		}
		c.renames[inFiles] = inTable
		return nil
	})
}

// FileColumns names the columns of files that have no header (dialect.Dialect.Header), in their
// order. By default they are those of the table, in the order of the dialect (dialect.Order). A
// column that the table does not have is left out with IgnoreColumns.
func FileColumns(names ...string) LoadOption {
	return loadOption(func(c *loadConfig) error {
		c.fileColumns = append(c.fileColumns, names...)
		if len(names) == 0 {
			return errors.New("FileColumns(): name at least one column")
		}
		return nil
	})
}

// IgnoreColumns leaves out columns, or fields of JSON, that the table does not have. By default
// they are an error.
func IgnoreColumns() LoadOption {
	return loadOption(func(c *loadConfig) error {
		c.ignore = true
		return nil
	})
}

// TTLColumn names a column of the files that has the time to live of each row: whole seconds, or
// null or 0 for the table's default. It is not loaded as a value. A file of CSV or Parquet without
// that column is refused. A record of JSON without it has the table's default; files of which no
// record has it are refused before a row is written. Of standard input that is known at the end:
// the run ends with an error then.
func TTLColumn(name string) LoadOption {
	return loadOption(func(c *loadConfig) error {
		c.ttl = name
		if name == "" {
			return errors.New("TTLColumn: the name is empty")
		}
		return nil
	})
}

// TimestampColumn names a column of the files that has the write timestamp of each row, in
// microseconds since 1970, above 0. A row without one is a row that failed. It is not loaded as a
// value.
func TimestampColumn(name string) LoadOption {
	return loadOption(func(c *loadConfig) error {
		c.stamp = name
		if name == "" {
			return errors.New("TimestampColumn: the name is empty")
		}
		return nil
	})
}

// NullsDelete writes a null of the files as a null, which deletes what the table has in that column
// and leaves a tombstone. By default the column stays as it is.
func NullsDelete() LoadOption {
	return loadOption(func(c *loadConfig) error {
		c.nullsDelete = true
		return nil
	})
}

// Spread loads files in which rows of many partitions take turns several times as fast: rows of
// partitions that live on the same nodes go into one batch (sink.BatchByReplicaSet), and rows go in
// the order of their tokens (sink.SortByToken; not with WithTimes). So they wait up to a second, in
// at most a quarter of the budget. Leave it out for files in the order of partitions, as Unload
// writes them.
//
// A batch has at most so many partitions, from 2 to 1,000, and bytes, from 1 KiB to 16 MiB. 0
// stands for the default, 10 partitions and 5 KiB: for larger batches servers log a warning,
// unless they are configured otherwise, and above 50 KiB they refuse them. 100 partitions and 48
// KiB load faster.
func Spread(partitions, bytes int) LoadOption {
	return loadOption(func(c *loadConfig) error {
		c.spread = []sink.TableOption{sink.BatchByReplicaSet(partitions, bytes), sink.SortByToken()}
		return nil
	})
}

// BadRecords keeps records that are no rows, and rows that the server refuses, in a file of dead
// letters (deadletter.NDJSON), each with its reason, and goes on. The reason of a record that is no
// row begins with its file and line. There is no maximum unless MaxErrors or MaxErrorsPercent is
// given. Load of that file loads them again, once they are corrected in it, with the same options
// otherwise; deadletter.Read gives them too.
func BadRecords(path string) LoadOption {
	return loadOption(func(c *loadConfig) error {
		c.bad = path
		if path == "" {
			return errors.New("BadRecords: the path is empty")
		}
		return nil
	})
}

// MaxErrors lets up to n rows fail in a run; one more ends it with rxcql.ErrSkipLimit. Without
// BadRecords they are left out and counted. Default: the first row that fails ends the run.
func MaxErrors(n int64) LoadOption {
	return loadOption(func(c *loadConfig) error {
		if c.limited {
			return errors.New("MaxErrors and MaxErrorsPercent: give one of them, once")
		}
		c.limited, c.most = true, n
		if n < 0 {
			return fmt.Errorf("MaxErrors(%d): must not be negative", n)
		}
		return nil
	})
}

// MaxErrorsPercent lets up to percent of the rows that were read fail, looked at once after rows
// have been read, and at the end. See rxcql.SkipPercent.
func MaxErrorsPercent(percent float64, after int64) LoadOption {
	return loadOption(func(c *loadConfig) error {
		if c.limited {
			return errors.New("MaxErrors and MaxErrorsPercent: give one of them, once")
		}
		c.limited, c.most, c.percent, c.after = true, -1, percent, after
		if !(percent > 0 && percent <= 100) || after < 0 { // also not a number
			return fmt.Errorf("MaxErrorsPercent(%v, %d): must be above 0 and at most 100, and the rows not negative", percent, after)
		}
		return nil
	})
}
