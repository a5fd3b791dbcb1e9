package parquet

import (
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

// ReadOption is an option of Read.
type ReadOption interface{ applyRead(*readConfig) error }

// readConfig has the options of Read.
type readConfig struct {
	pageRows int
	loose    bool
	truncate bool
	types    types
}

func newReadConfig(path string, opts []ReadOption) (readConfig, error) {
	cfg := readConfig{pageRows: flow.DefaultPageRows}
	err := option.Apply(opts, &cfg, ReadOption.applyRead)
	if path == "" {
		err = errors.Join(errors.New("the path is empty"), err)
	}
	return cfg, err
}

type pageRows int

// maxPageRows is the most rows that a page may be given.
const maxPageRows = 10_000

// PageRows sets the most rows in a page, from 1 to 10,000. The default is 512. A page ends earlier
// where its rows are large.
func PageRows(n int) ReadOption { return pageRows(n) }

func (n pageRows) applyRead(c *readConfig) error {
	if n < 1 || n > maxPageRows {
		return fmt.Errorf("PageRows(%d): must be from 1 to %d", int(n), maxPageRows)
	}
	c.pageRows = int(n)
	return nil
}

type ignoreUnknown struct{}

// IgnoreUnknown leaves out columns of the file that the rows have no place for, and fields of a
// group that a user-defined type does not have. Otherwise they are an error. Columns that are left
// out are not read from the file.
func IgnoreUnknown() ReadOption { return ignoreUnknown{} }

func (ignoreUnknown) applyRead(c *readConfig) error {
	c.loose = true
	return nil
}

type truncateTimes struct{}

// TruncateTimes cuts times that are finer than milliseconds, down to the millisecond before, where
// a CQL timestamp or a time.Time is read. Otherwise a row with such a time is a row that failed.
func TruncateTimes() ReadOption { return truncateTimes{} }

func (truncateTimes) applyRead(c *readConfig) error {
	c.truncate = true
	return nil
}
