package rxcql

import (
	"fmt"
	"math"
	"time"
)

// Estimate is how far a run is, as far as known. Table sources know which part of the ring they
// have read, files how many bytes; source.Measure says it for iterators.
//
//   - Of several sources it is the mean.
//   - With a source that does not know, such as Query, it is unknown until the run is complete.
//   - If a run reads a source more than once (a stream that is merged with itself, for example),
//     the reading that is further counts.
//   - A run that Take will end is as far as its source, since it is not known how many rows will
//     do.
//
// In a job that goes on, what earlier runs have done counts as done, but not for the rate from
// which Left is computed.
type Estimate struct {
	Known bool `json:"known"` // whether Fraction is known; else it is 0
	// Fraction is the part of all rows that has been read, from 0 to 1. It never goes back
	// within a run, and is 1 exactly when the run is complete: while rows are still being
	// written it is less.
	Fraction float64 `json:"fraction"`
	// Rows is about how many rows will have been read at the end, including those of earlier runs;
	// 0 as long as that cannot be estimated.
	Rows int64 `json:"rows"`

	LeftKnown bool `json:"left_known"` // whether Left is known; else it is 0
	// Left is about how long the run will take from now, by the rate of the last minute or so. It
	// is unknown in the first second, after a run that is not complete, and while a source says
	// that less is done than before (a file that grows, a source that is read again).
	Left time.Duration `json:"left_ns"`
}

// String returns text for people: "42 %, about 3m20s left", or "unknown".
func (e Estimate) String() string {
	if !e.Known {
		return "unknown"
	}
	text := fmt.Sprintf("%d %%", e.Percent())
	if e.LeftKnown && e.Fraction < 1 {
		text += fmt.Sprintf(", about %v left", e.Left.Round(time.Second))
	}
	return text
}

// Percent returns Fraction in whole per cent, rounded down: 100 exactly when the run is complete.
func (e Estimate) Percent() int { return int(math.Floor(100*e.Fraction + rounding)) }

// rounding is by how much a fraction may be below the number that it stands for.
const rounding = 1e-9
