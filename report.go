package rxcql

import (
	"fmt"
	"strings"
	"time"
)

// EndedByStop is the Report.EndedBy of a run that Pipeline.Stop ended.
const EndedByStop = "Stop"

// Report says what a run did. At the end of a run all counts are exact; in Progress they are a
// snapshot taken without stopping anything.
//
// If every row in gives at most one row out, ReadRows = Written + Filtered + Skipped +
// DeadLettered. With a Tee, a row is written, or filtered, once in each branch. For other pipelines
// look at the rows in and out of each stage.
//
// Where operators.Retry reads a stream again, ranges, pages and rows count each time that they are
// read, and rows that the failed reading did not hand on are in none of the other sums.
type Report struct {
	Ranges     int64 `json:"ranges"`      // token ranges, or parts of other sources
	RangesDone int64 `json:"ranges_done"` // read to their end

	Pages        int64 `json:"pages"`                    // read, empty ones included
	EmptyPages   int64 `json:"empty_pages"`              // of these, without a row
	PagesSettled int64 `json:"pages_settled"`            // of these, settled
	PagesGivenUp int64 `json:"pages_given_up,omitempty"` // of these, not settled since they were read again, or left (operators.Retry, Recover)

	// Pages that stages with windows hold now until the windows are durable, and their column bytes
	// in a job: it reads them again if the run ends now. With several such stages a page counts for
	// each.
	HeldPages int64 `json:"held_pages,omitempty"`
	HeldBytes int64 `json:"held_bytes,omitempty"`

	ReadRows  int64 `json:"read_rows"`
	ReadBytes int64 `json:"read_bytes"` // column bytes as received; of other sources than Query and Table, what rows take in memory
	Written   int64 `json:"written_rows"`
	Filtered  int64 `json:"filtered_rows"` // dropped on purpose by operators
	Retried   int64 `json:"retried"`       // attempts repeated
	Unknown   int64 `json:"unknown_rows"`  // sent, and it is not known whether they were written
	// Overflowed are those of the Filtered that a buffer had no room for; see Overflow.
	Overflowed int64 `json:"overflowed_rows,omitempty"`
	// LateRows came too late for one or more of their windows (operators.Window). Those that came
	// too late for all are among the Filtered, unless operators.WindowWithLate has handed them on.
	LateRows int64 `json:"late_rows,omitempty"`

	// Rows that failed, over all stages; see WithRowErrors.
	Skipped      int64 `json:"skipped_rows"`
	DeadLettered int64 `json:"dead_lettered_rows"` // the letter is durable
	// RowErrors has the first ten reasons that rows failed for, sorted by rows, most first.
	// OtherRowErrors counts rows that failed for any other reason. Each run of a job counts anew.
	RowErrors      []RowErrorReport `json:"row_errors,omitempty"`
	OtherRowErrors int64            `json:"other_row_errors,omitempty"`

	// EarlierFailed counts the rows that failed in earlier runs of the job, as far as saves know of
	// them. A row that failed, and was then read again because no save had its page, counts again.
	EarlierFailed int64 `json:"earlier_failed_rows,omitempty"`

	// UnreadParts counts the parts of sources that could not be read (source.AdaptiveSplits), and
	// Unread names the first hundred. Rows of them may be missing.
	UnreadParts int64    `json:"unread_parts,omitempty"`
	Unread      []Unread `json:"unread,omitempty"`

	Estimate Estimate `json:"estimate,omitzero"` // how far it is

	Budget        int64         `json:"budget_bytes"`
	PeakBytes     int64         `json:"peak_bytes"`         // most bytes in flight at once, see flow.Budget
	LargestPage   int64         `json:"largest_page_bytes"` // received and decoded
	PeakFetches   int           `json:"peak_fetches"`       // most fetches in flight at once, likewise
	BytesInFlight int64         `json:"bytes_in_flight"`
	Stages        []StageReport `json:"stages"`
	Resumed       bool          `json:"resumed"`      // went on where an earlier run of the job ended
	ResumedRows   int64         `json:"resumed_rows"` // settled by earlier runs, and not read by this one
	Saves         int64         `json:"saves"`        // of the checkpoint
	Started       time.Time     `json:"started"`
	Duration      time.Duration `json:"duration_ns"`
	Complete      bool          `json:"complete"`           // everything was read and settled
	EndedBy       string        `json:"ended_by,omitempty"` // the stage that ended it early, or Stop if that was called
}

// StageReport is one stage's part of a Report, upstream first, sinks last.
type StageReport struct {
	Name    string `json:"name"`
	In      int64  `json:"in"`      // rows; 0 for a source
	Out     int64  `json:"out"`     // rows; for a sink, rows written, or handed on (Tee, Through)
	Dropped int64  `json:"dropped"` // rows dropped on purpose

	// Rows that failed in this stage. If every row in gives at most one row out, In = Out + Dropped
	// + Skipped + DeadLettered. A row that failed counts as one row in (at a source, as one row
	// read), however many rows it would have become.
	Skipped      int64 `json:"skipped_rows"`
	DeadLettered int64 `json:"dead_lettered_rows"`
}

// String returns the report as a few lines for people.
func (r Report) String() string {
	var s strings.Builder
	state := "complete"
	if !r.Complete {
		state = "not complete"
		if r.EndedBy != "" {
			state = "ended by " + r.EndedBy
		}
	}
	fmt.Fprintf(&s, "%s in %v: %d rows read, %d written, %d filtered, %d retried\n",
		state, r.Duration.Round(time.Millisecond), r.ReadRows, r.Written, r.Filtered, r.Retried)
	if r.ResumedRows > 0 {
		fmt.Fprintf(&s, "went on after %d rows of earlier runs\n", r.ResumedRows)
	}
	if r.Overflowed > 0 {
		fmt.Fprintf(&s, "%d of the rows filtered were dropped because a buffer had no room\n", r.Overflowed)
	}
	if r.LateRows > 0 {
		fmt.Fprintf(&s, "%d rows came too late for windows\n", r.LateRows)
	}
	if r.Unknown > 0 {
		fmt.Fprintf(&s, "%d rows of unknown outcome: written or not\n", r.Unknown)
	}
	if r.Skipped+r.DeadLettered > 0 {
		fmt.Fprintf(&s, "%d rows failed: %d skipped, %d dead-lettered\n", r.Skipped+r.DeadLettered, r.Skipped, r.DeadLettered)
	}
	if r.EarlierFailed > 0 {
		fmt.Fprintf(&s, "%d rows failed in earlier runs\n", r.EarlierFailed)
	}
	for _, e := range r.RowErrors {
		fmt.Fprintf(&s, "  %d in %s, first in range %s, page %d", e.Rows, e.Stage, e.Range, e.Page)
		if e.Row >= 0 {
			fmt.Fprintf(&s, ", row %d", e.Row)
		}
		if e.Place != "" {
			fmt.Fprintf(&s, " (%s)", e.Place)
		}
		fmt.Fprintf(&s, ": %s\n", e.Reason)
	}
	if r.OtherRowErrors > 0 {
		fmt.Fprintf(&s, "  %d for other reasons\n", r.OtherRowErrors)
	}
	if r.UnreadParts > 0 {
		fmt.Fprintf(&s, "%d parts could not be read, so rows may be missing:\n", r.UnreadParts)
		for _, part := range r.Unread {
			fmt.Fprintf(&s, "  %v\n", part)
		}
	}
	fmt.Fprintf(&s, "ranges %d of %d, pages %d (%d empty, %d settled), %s read\n",
		r.RangesDone, r.Ranges, r.Pages, r.EmptyPages, r.PagesSettled, size(r.ReadBytes))
	if r.HeldPages > 0 {
		fmt.Fprintf(&s, "%d pages (%s) are held by windows that are not durable\n", r.HeldPages, size(r.HeldBytes))
	}
	if r.PagesGivenUp > 0 {
		fmt.Fprintf(&s, "%d pages given up when a stream failed that was read again, or left\n", r.PagesGivenUp)
	}
	fmt.Fprintf(&s, "at most %s of %s in flight, pages fetched at once: %d, largest page: %s\n",
		size(r.PeakBytes), size(r.Budget), r.PeakFetches, size(r.LargestPage))
	for _, st := range r.Stages {
		fmt.Fprintf(&s, "  %-24s in %12d  out %12d  dropped %d", st.Name, st.In, st.Out, st.Dropped)
		if st.Skipped+st.DeadLettered > 0 {
			fmt.Fprintf(&s, "  skipped %d  dead-lettered %d", st.Skipped, st.DeadLettered)
		}
		s.WriteByte('\n')
	}
	return s.String()
}

// size writes a number of bytes with a unit that keeps it readable.
func size(bytes int64) string {
	switch {
	case bytes < 1<<10:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	default:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	}
}
