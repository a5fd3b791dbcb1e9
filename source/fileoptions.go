package source

import (
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/csvrow"
	"github.com/rxcql/rxcql/internal/option"
)

// NDJSONOption is an option of NDJSON.
type NDJSONOption interface{ applyNDJSON(*fileConfig) error }

// CSVOption is an option of CSV.
type CSVOption interface{ applyCSV(*fileConfig) error }

// DefaultMaxLine is the most bytes in a line of a file, or a record of CSV.
const DefaultMaxLine = 16 << 20

// fileConfig has the options of sources that read files.
type fileConfig struct {
	pageRows int
	maxLine  int
	loose    bool
	null     string
	types    *typesOf // nil except for rxcql.Row
}

func newFileConfig[O any](path string, opts []O, apply func(O, *fileConfig) error) (fileConfig, error) {
	cfg := fileConfig{pageRows: flow.DefaultPageRows, maxLine: DefaultMaxLine}
	err := option.Apply(opts, &cfg, apply)
	if path == "" {
		err = errors.Join(errors.New("the path is empty"), err)
	}
	return cfg, err
}

func (n pageRows) applyNDJSON(c *fileConfig) error { return n.set(&c.pageRows) }
func (n pageRows) applyCSV(c *fileConfig) error    { return n.set(&c.pageRows) }

type maxLine int

// MaxLine sets the most bytes in a line of NDJSON or a record of CSV, which has several lines if a
// quoted field does, the end included. Default 16 MiB, from 1 KiB to 1 GiB. A longer one is an
// error. Up to that many bytes are held in memory in addition to the page.
func MaxLine(bytes int) interface {
	NDJSONOption
	CSVOption
} {
	return maxLine(bytes)
}

func (n maxLine) set(c *fileConfig) error {
	if n < 1<<10 || n > 1<<30 {
		return fmt.Errorf("MaxLine(%d): must be from 1024 to 1073741824", int(n))
	}
	c.maxLine = int(n)
	return nil
}

func (n maxLine) applyNDJSON(c *fileConfig) error { return n.set(c) }
func (n maxLine) applyCSV(c *fileConfig) error    { return n.set(c) }

type ignoreUnknown struct{}

// IgnoreUnknown skips fields of JSON objects, or columns of CSV, that T has no field for. Otherwise
// they are an error.
func IgnoreUnknown() interface {
	NDJSONOption
	CSVOption
} {
	return ignoreUnknown{}
}

func (ignoreUnknown) applyNDJSON(c *fileConfig) error {
	c.loose = true
	return nil
}

func (ignoreUnknown) applyCSV(c *fileConfig) error {
	c.loose = true
	return nil
}

type nullText string

// NullText is the text, without quotes, that stands for null in the CSV file. By default an empty
// field is null; with NullText it is empty text.
func NullText(text string) CSVOption { return nullText(text) }

func (n nullText) applyCSV(c *fileConfig) error {
	c.null = string(n)
	return csvrow.CheckNull(c.null)
}
