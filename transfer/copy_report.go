package transfer

import (
	"fmt"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
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

	// StaticsOnly is how many partitions that have static columns only were left out, because the
	// target has no static column for them. A job that goes on counts those of its own pages.
	StaticsOnly int64 `json:"statics_only,omitempty"`
	// StaticsOnlyEarlier: the job went on, and earlier runs may have left out such partitions too.
	StaticsOnlyEarlier bool `json:"statics_only_earlier,omitempty"`

	// Times counts what WithTimes guessed and lost; nil without it.
	Times *sink.TimesReport `json:"times,omitempty"`

	// StaticCounters is the report of the step that copied the static counters, which comes after
	// that of the others; nil if there is none. Complete is then that of both.
	StaticCounters *rxcql.Report `json:"static_counters,omitempty"`
}

// String returns the report as a few lines for people.
func (r CopyReport) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "copy %s to %s: %s", r.From, r.To, r.Report)
	if r.StaticCounters != nil {
		fmt.Fprintf(&s, "static counters: %s", r.StaticCounters)
	}
	if r.StaticsOnly > 0 {
		fmt.Fprintf(&s, "  left out: %d partitions that have static columns only\n", r.StaticsOnly)
	}
	if r.Times != nil {
		s.WriteString(timesText(*r.Times))
	}
	for _, part := range []struct {
		title string
		lines []string
	}{{"created", r.Created}, {"differs", r.Differences}, {"lossy", r.Lossy}, {"note", r.Notes}} {
		for _, line := range part.lines {
			fmt.Fprintf(&s, "  %s: %s\n", part.title, line)
		}
	}
	return s.String()
}

// timesText writes a line for each kind that was counted.
func timesText(t sink.TimesReport) string {
	var s strings.Builder
	for _, kind := range []struct {
		title string
		n     int64
	}{
		{"rows whose own write time was guessed", t.GuessedMarkers},
		{"rows of keys alone, whose write time and expiry were guessed", t.KeyOnlyRows},
		{"values that expired on the way", t.Expired},
		{"lists whose elements got one write time", t.Lists},
		{"lists that were left as the target has them, newer or deleted", t.ListsLeft},
		{"values without times", t.Untimed},
		{"values whose elements' times were joined", t.Joined},
	} {
		if kind.n > 0 {
			fmt.Fprintf(&s, "  %s: %d\n", kind.title, kind.n)
		}
	}
	return s.String()
}
