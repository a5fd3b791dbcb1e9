package transfer

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rxcql/rxcql/sink"
)

// RepairReport says what a Repair did, over all its runs.
type RepairReport struct {
	Source string `json:"source"`
	Target string `json:"target"`

	// Complete: every row that the file named was looked at, and read back.
	Complete bool `json:"complete"`

	// How many rows, and sets of static columns, have each Result.
	Written    int64 `json:"repaired"` // Repaired
	Equal      int64 `json:"equal"`    // AlreadyEqual
	Left       int64 `json:"left"`
	Shadowed   int64 `json:"shadowed"`
	Remaining  int64 `json:"remaining"`
	Moving     int64 `json:"moving"`
	Unreadable int64 `json:"unread"`

	// Lossy is what was guessed and lost of write times by the last run that wrote.
	Lossy    sink.TimesReport `json:"lossy"`
	Notes    []string         `json:"notes,omitempty"`
	Duration time.Duration    `json:"duration_ns"` // of the last run
}

// Repaired reports whether all that the file named is equal now.
func (r *RepairReport) Repaired() bool {
	return r.Complete && r.Left+r.Shadowed+r.Remaining+r.Moving+r.Unreadable == 0
}

func (r *RepairReport) byResult() []*int64 {
	return []*int64{&r.Written, &r.Equal, &r.Left, &r.Shadowed, &r.Remaining, &r.Moving, &r.Unreadable}
}

// String returns the report as a few lines for people.
func (r *RepairReport) String() string {
	var s strings.Builder
	state := "all is equal"
	switch {
	case !r.Complete:
		state = "not complete"
	case !r.Repaired():
		state = "not all is equal"
	}
	fmt.Fprintf(&s, "repair of %s from %s: %s, in %v\n", r.Target, r.Source, state, r.Duration.Round(time.Millisecond))
	for i, n := range r.byResult() {
		if *n > 0 {
			fmt.Fprintf(&s, "  %s: %d\n", results[i], *n)
		}
	}
	s.WriteString(timesText(r.Lossy))
	for _, note := range r.Notes {
		fmt.Fprintf(&s, "  note: %s\n", note)
	}
	return s.String()
}

// collect makes the file of outcomes, and counts them.
func (j *RepairJob) collect(ctx context.Context, report *RepairReport) error {
	counts := report.byResult()
	return j.folder.replace("outcomes.ndjson", func(w *bufio.Writer) error {
		return eachLine(ctx, j.folder.file(checkedName), func(item repairItem) error {
			for i, n := range counts {
				if results[i] == item.Outcome.Result {
					*n++
				}
			}
			return appendLine(w, item.Outcome)
		})
	})
}
