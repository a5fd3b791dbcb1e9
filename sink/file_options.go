package sink

import (
	"errors"

	"github.com/rxcql/rxcql/internal/csvrow"
	"github.com/rxcql/rxcql/internal/option"
)

// NDJSONOption is an option of NDJSON.
type NDJSONOption interface{ applyNDJSON(*fileConfig) error }

// CSVOption is an option of CSV.
type CSVOption interface{ applyCSV(*fileConfig) error }

// fileConfig has the options of sinks that write files.
type fileConfig struct {
	overwrite bool
	null      string
}

func newFileConfig[O any](path string, opts []O, apply func(O, *fileConfig) error) (fileConfig, error) {
	var cfg fileConfig
	err := option.Apply(opts, &cfg, apply)
	if path == "" {
		err = errors.Join(errors.New("the path is empty"), err)
	}
	return cfg, err
}

type overwrite struct{}

// Overwrite lets a file sink begin in a file that is not empty. Its content is lost when the first
// page comes, or at the end of a run without rows; in a job with a checkpoint, when reading begins.
// When a job goes on, Overwrite changes nothing.
func Overwrite() interface {
	NDJSONOption
	CSVOption
} {
	return overwrite{}
}

func (overwrite) applyNDJSON(c *fileConfig) error {
	c.overwrite = true
	return nil
}

func (overwrite) applyCSV(c *fileConfig) error {
	c.overwrite = true
	return nil
}

type nullText string

// NullText sets how CSV writes null. By default it writes nothing; `\N` and NULL are common. Text
// that equals it is put in quotes, so that it is not taken for null.
func NullText(text string) CSVOption { return nullText(text) }

func (n nullText) applyCSV(c *fileConfig) error {
	c.null = string(n)
	return csvrow.CheckNull(c.null)
}
