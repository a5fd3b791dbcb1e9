package transfer

import (
	"fmt"
	"strings"
	"time"

	"github.com/rxcql/rxcql/flow"
)

// DiffReport says what a Diff has found, over all its runs.
type DiffReport struct {
	Source string `json:"source"`
	Target string `json:"target"`
	Times  bool   `json:"times"` // write times and expiry were compared

	// Complete: every row of both sides was compared, or is counted as Unread.
	Complete bool `json:"complete"`

	SourceRows int64 `json:"source_rows"`
	TargetRows int64 `json:"target_rows"`
	// DifferingRanges is how many RangeSums are not the same.
	DifferingRanges int64 `json:"differing_ranges"`
	// Candidates is how many rows, and sets of static columns, differed when the tables were read.
	Candidates int64 `json:"candidates"`
	// Settled is how many of the Candidates were equal when they were read again; in a report that is
	// not Complete, or have not been read again.
	Settled int64 `json:"settled"`
	// How many rows, and sets of static columns, differ, by cause.
	Missing   int64 `json:"missing"`
	Extra     int64 `json:"extra"`
	Differing int64 `json:"differing"`
	Newer     int64 `json:"newer"`
	Tie       int64 `json:"tie"`
	Unstable  int64 `json:"unstable"`
	// Unread also has the parts of tables, such as the rows of a partition between two keys, that
	// could not be read at all.
	Unread int64 `json:"unread"`

	Notes    []string      `json:"notes,omitempty"` // what was not compared
	Duration time.Duration `json:"duration_ns"`     // of the last run
}

// Differences returns how many rows, and sets of static columns, differ for any cause.
func (r *DiffReport) Differences() int64 {
	return r.Missing + r.Extra + r.Differing + r.Newer + r.Tie + r.Unstable + r.Unread
}

// Equal reports whether the whole of both tables was compared, and nothing differs.
func (r *DiffReport) Equal() bool { return r.Complete && r.Differences() == 0 }

// count counts a difference.
func (r *DiffReport) count(cause Cause) {
	for i, n := range []*int64{&r.Missing, &r.Extra, &r.Differing, &r.Newer, &r.Tie, &r.Unstable, &r.Unread} {
		if causes[i] == cause {
			*n++
		}
	}
}

// String returns the report as a few lines for people.
func (r *DiffReport) String() string {
	var s strings.Builder
	state := "equal"
	switch {
	case !r.Complete:
		state = "not complete"
	case r.Differences() > 0:
		state = fmt.Sprintf("%d differences", r.Differences())
	}
	fmt.Fprintf(&s, "diff of %s and %s: %s, in %v: %d rows and %d rows\n",
		r.Source, r.Target, state, r.Duration.Round(time.Millisecond), r.SourceRows, r.TargetRows)
	for i, n := range []int64{r.Missing, r.Extra, r.Differing, r.Newer, r.Tie, r.Unstable, r.Unread} {
		if n > 0 {
			fmt.Fprintf(&s, "  %s: %d\n", causes[i], n)
		}
	}
	switch {
	case r.Settled > 0 && !r.Complete:
		fmt.Fprintf(&s, "  %d more differed at first, and have not all been read again\n", r.Settled)
	case r.Settled > 0:
		fmt.Fprintf(&s, "  %d more differed at first, and were equal when they were read again\n", r.Settled)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&s, "  note: %s\n", note)
	}
	return s.String()
}

// scanned adds what the first phase has found.
func (r *DiffReport) scanned(c scanCounts) {
	r.SourceRows, r.TargetRows, r.DifferingRanges = c.SourceRows, c.TargetRows, c.Differing
	r.Candidates += c.Candidates
	r.Settled = r.Candidates - r.Differences() + min(c.Unread, r.Unread) // parts were no candidates
}

func (c *diffConfig) tokenRanges() []flow.TokenRange {
	all := make([]flow.TokenRange, len(c.tokens))
	for i, r := range c.tokens {
		all[i] = flow.TokenRange(r)
	}
	return all
}
