package deadletter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jsonline"
	"github.com/rxcql/rxcql/internal/option"
)

// Letter is a row that failed, and what is known of the failure; see rxcql.Letter.
type Letter[T any] struct {
	Run   string    // names the run in which it failed
	N     int64     // counts the letters of that run from 1
	Time  time.Time // UTC, whole milliseconds
	Stage string    // where it failed, as in the report
	Error string    // why; of a line of a file, with its number
	Range string    // the part of the source: its tokens, all, or mixed
	Page  int64     // of that part, as it came into the stage
	Index int       // of the row in the page that came into the stage; -1 if it is not known
	Type  string    // the Go type of the row
	Row   T         // as it came into the stage

	// Columns are those of a record of CSV, in its order; nil for other rows, and from a table.
	Columns []string
}

// ErrLetter: what was read is not a letter, or not one with the type of row that was asked for.
var ErrLetter = errors.New("deadletter: not such a letter")

// version is the version of the format that is written; later ones are refused.
const version = 1

// line is a letter as JSON.
type line struct {
	V     int             `json:"v"`
	Run   string          `json:"run"`
	N     int64           `json:"n"`
	Time  time.Time       `json:"time"`
	Stage string          `json:"stage"`
	Error string          `json:"error"`
	Range string          `json:"range"`
	Page  int64           `json:"page"`
	Index int             `json:"row_index"`
	Type  string          `json:"type"`
	Row   json.RawMessage `json:"row"`

	Columns []string `json:"columns,omitempty"`
}

func lineOf(l *rxcql.Letter) line {
	return line{
		V: version, Run: l.Run, N: l.N, Time: l.Time, Stage: l.Stage, Error: l.Error,
		Range: l.Range, Page: l.Page, Index: l.Index, Type: l.Type, Row: l.Row, Columns: l.Columns,
	}
}

// appendLine writes a letter on a line of its own.
func appendLine(b *bytes.Buffer, l *rxcql.Letter) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	return enc.Encode(lineOf(l)) // ends with a newline, and has no other
}

// parseLine decodes a line. Its errors show nothing of the line.
func parseLine(data []byte) (line, error) {
	var l line
	if err := jsonline.Read(data, &l, true); err != nil {
		return l, fmt.Errorf("%w: it is not JSON of that form: %w", ErrLetter, err)
	}
	return l, l.check()
}

func (l *line) check() error {
	switch {
	case l.V > version:
		return fmt.Errorf("%w: it is of version %d, and this program knows versions up to %d: load it with a newer one", ErrLetter, l.V, version)
	case l.V < 1:
		return fmt.Errorf("%w: it has no version", ErrLetter)
	case l.Row == nil:
		return fmt.Errorf("%w: it has no row", ErrLetter)
	}
	return nil
}

// open decodes the row of a letter.
func open[T any](l *line, cfg *readConfig) (Letter[T], error) {
	out := Letter[T]{
		Run: l.Run, N: l.N, Time: l.Time, Stage: l.Stage, Error: l.Error,
		Range: l.Range, Page: l.Page, Index: l.Index, Type: l.Type, Columns: l.Columns,
	}
	raw := reflect.TypeFor[T]() == reflect.TypeFor[json.RawMessage]()
	if want := reflect.TypeFor[T]().String(); l.Type != want && !cfg.anyType && !raw {
		return out, fmt.Errorf("%w: its row is a %s of stage %q and not a %s: read letters of that type, "+
			"choose stages (Stages), or give AnyType if the types hold the same", ErrLetter, l.Type, l.Stage, want)
	}
	if err := jsonline.Read(l.Row, &out.Row, false); err != nil {
		return out, fmt.Errorf("%w: its row (%s) is not JSON of a %s: %w", ErrLetter, l.Type, reflect.TypeFor[T](), err)
	}
	return out, nil
}

// ReadOption is an option of Read and Decode.
type ReadOption interface{ applyRead(*readConfig) }

type readConfig struct {
	stages  map[string]bool
	anyType bool
}

type readOption func(*readConfig)

func (fn readOption) applyRead(c *readConfig) { fn(c) }

// Stages reads only the letters of these stages, by their names in the report. All rows of one
// stage are of one type.
func Stages(names ...string) ReadOption {
	return readOption(func(c *readConfig) {
		if c.stages == nil {
			c.stages = map[string]bool{}
		}
		for _, name := range names {
			c.stages[name] = true
		}
	})
}

// AnyType reads rows into T whatever the name of their type was when they failed: for types that
// were renamed or changed since. A field of the letter that T does not have is an error; a field
// that the letter does not have stays zero.
func AnyType() ReadOption { return readOption(func(c *readConfig) { c.anyType = true }) }

// newReadConfig fails if an option is nil: without it letters might be read that are not meant.
func newReadConfig(opts []ReadOption) (*readConfig, error) {
	c := &readConfig{}
	err := option.Apply(opts, c, func(opt ReadOption, c *readConfig) error {
		opt.applyRead(c)
		return nil
	})
	if err != nil {
		err = fmt.Errorf("%w: deadletter: %w", rxcql.ErrConfig, err)
	}
	return c, err
}

func (c *readConfig) wants(stage string) bool { return c.stages == nil || c.stages[stage] }
