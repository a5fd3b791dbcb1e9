// Package saved is what a checkpoint holds, and how it is encoded: a line with the format's version
// and a checksum, then JSON that people can read.
package saved

import (
	"math"
	"slices"

	"github.com/rxcql/rxcql/internal/ring"
)

// State is a job between two runs.
type State struct {
	Job           string `json:"job"`
	Runs          int    `json:"runs"`             // begun so far, by any process
	Time          int64  `json:"time"`             // of the save, microseconds since 1970
	TimestampBase int64  `json:"epoch"`            // of the last run: base of its write timestamps, microseconds
	Reserved      int64  `json:"reserved"`         // up to here the runs so far may have given write timestamps, microseconds
	Complete      bool   `json:"complete"`         // all was read and settled
	Failed        int64  `json:"failed,omitempty"` // rows that were skipped or became dead letters, in all runs

	Sources []Source `json:"sources"`
	Sinks   []Sink   `json:"sinks"`
	Folds   []string `json:"folds,omitempty"` // stages that leave snapshots

	Frontiers []Frontier `json:"frontiers,omitempty"` // of stages with windows, in the order of the report
}

// Reads reports whether a stage of that name is one of the sources.
func (s *State) Reads(stage string) bool {
	return slices.ContainsFunc(s.Sources, func(src Source) bool { return src.Stage == stage })
}

// Source is how far a source has been read and settled. Tokens that are in none of its ranges have
// not been read.
type Source struct {
	Stage string `json:"stage"`
	Facts []Fact `json:"facts"` // what it reads; must be the same to go on
	Pages string `json:"pages"` // what page states depend on in addition to the facts
	Done  Ranges `json:"done"`  // read to their end and settled
	Rows  int64  `json:"rows"`  // in them
	Parts []Part `json:"parts"` // begun
}

// Fact is one thing that must be the same when a job goes on.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Part is a range whose first pages are settled. In a source that may grow these may be all pages
// that there are.
type Part struct {
	Range     ring.Range        `json:"range"`
	Pages     int64             `json:"settled"`         // pages settled
	Rows      int64             `json:"rows"`            // rows in these pages
	State     []byte            `json:"state"`           // from which the source goes on after these pages
	Snapshots map[string][]byte `json:"marks,omitempty"` // by stage: what it needs to go on there

	// How far stages with windows had read, settled or not; nothing in a job without any.
	Read      int64  `json:"read,omitempty"`       // rows
	ReadState []byte `json:"read_state,omitempty"` // of the source
}

// Frontier is how far a stage with windows is: every window that ends at UpTo or before is durable.
type Frontier struct {
	Stage    string    `json:"stage"`
	Facts    []Fact    `json:"facts,omitempty"`    // size, gap and lateness; must be the same to go on
	UpTo     *int64    `json:"up_to,omitempty"`    // microseconds since 1970; nil for none
	Sessions []Session `json:"sessions,omitempty"` // that are durable and end later, by key
}

// Session says that the sessions of a key up to End are durable. Key is a hash.
type Session struct {
	Key []byte `json:"key"`
	End int64  `json:"end"`
}

// Forever is the UpTo of a frontier that is behind all windows.
const Forever = math.MaxInt64

// Ranges are token ranges in ring order that do not touch.
type Ranges []ring.Range

// Sink is where a sink's output ends.
type Sink struct {
	Stage string `json:"stage"`
	Facts []Fact `json:"facts,omitempty"` // what it writes to; must be the same to go on
	State []byte `json:"state,omitempty"` // nil for a sink that bears rows twice
}
