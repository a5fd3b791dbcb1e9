package source

import (
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/csvrow"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/schema"
)

// NDJSONOption is an option of NDJSON and JSONArray, and of their like for readers and several
// files.
type NDJSONOption interface{ applyNDJSON(*fileConfig) error }

// CSVOption is an option of CSV, CSVReader and CSVFiles.
type CSVOption interface{ applyCSV(*fileConfig) error }

// DefaultMaxLine is the most bytes in a line of a file, or a record of CSV.
const DefaultMaxLine = 16 << 20

// fileConfig has the options of sources that read files.
type fileConfig struct {
	pageRows int
	maxLine  int
	loose    bool
	null     string
	nullSet  bool          // by NullText
	header   []string      // nil unless given
	text     *dialect.Text // nil without Dialect
	types    *typesOf      // nil except for rxcql.Row
	about    *schema.Table // what types says, if it has been asked
	check    checkRows     // of rows that were read, nil for none
}

func newFileConfig[O any](opts []O, apply func(O, *fileConfig) error) (fileConfig, error) {
	cfg := fileConfig{pageRows: flow.DefaultPageRows, maxLine: DefaultMaxLine}
	err := option.Apply(opts, &cfg, apply)
	if cfg.text == nil {
		return cfg, err
	}
	d := cfg.text.Dialect()
	if cfg.nullSet {
		d.Null = cfg.null
	}
	cfg.null = d.Null
	text, nullErr := dialect.NewParser(d)
	if nullErr == nil {
		cfg.text = text
	}
	return cfg, errors.Join(err, nullErr)
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
// field is null; with NullText it is empty text. It takes the place of the Null of a Dialect.
func NullText(text string) CSVOption { return nullText(text) }

func (n nullText) applyCSV(c *fileConfig) error {
	c.null, c.nullSet = string(n), true
	return csvrow.CheckNull(c.null)
}
