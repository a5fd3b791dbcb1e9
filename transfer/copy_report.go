package transfer

import (
	"fmt"
	"strings"

	"github.com/rxcql/rxcql"
)

// CopyReport says what a copy did. All rows of the source have arrived if it is Complete.
type CopyReport struct {
	rxcql.Report
	From string `json:"from"`
	To   string `json:"to"`

	Created     []string `json:"created,omitempty"`     // statements that were run first
	Differences []string `json:"differences,omitempty"` // see Plan
	Lossy       []string `json:"lossy,omitempty"`
	Notes       []string `json:"notes,omitempty"`

	// Times counts what WithTimes guessed and lost; nil without it.
	Times *TimesCounts `json:"times,omitempty"`

	// StaticCounters is the report of the step that copied the static counters, which comes after
	// that of the others; nil if there is none. Complete is then that of both.
	StaticCounters *rxcql.Report `json:"static_counters,omitempty"`
}

// String returns the report as a few lines for people.
func (r CopyReport) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "copy %s to %s: ", r.From, r.To)
	for _, cql := range r.Created {
		fmt.Fprintf(&s, "created: %s\n", cql)
	}
	s.WriteString(r.Report.String())
	if r.StaticCounters != nil {
		fmt.Fprintf(&s, "static counters: %s", r.StaticCounters)
	}
	if r.Times != nil {
		s.WriteString(r.Times.String())
	}
	for _, part := range []struct {
		title string
		lines []string
	}{{"differs", r.Differences}, {"lossy", r.Lossy}, {"note", r.Notes}} {
		for _, line := range part.lines {
			fmt.Fprintf(&s, "  %s: %s\n", part.title, line)
		}
	}
	return s.String()
}

// TimesCounts are how often something was guessed or lost, by kind, such as "guessed markers".
type TimesCounts map[string]int64

// timesKinds are the kinds in the order in which people read them.
var timesKinds = []string{"guessed markers", "rows of keys alone", "expired on the way", "lists", "without times", "joined"}

// String returns a line for each kind that occurred.
func (c TimesCounts) String() string {
	var s strings.Builder
	for _, kind := range timesKinds {
		if c[kind] > 0 {
			fmt.Fprintf(&s, "  %s: %d\n", kind, c[kind])
		}
	}
	return s.String()
}
