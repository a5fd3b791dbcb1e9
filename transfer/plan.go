package transfer

import (
	"fmt"
	"strings"
)

// Plan is what a run of a job would do, as far as the servers can say it before. The job's Plan
// method makes it, and changes nothing.
type Plan struct {
	Verb string `json:"verb"` // "copy", "diff", ...
	From string `json:"from"` // the table, or the file
	To   string `json:"to,omitempty"`

	Ranges int64 `json:"ranges"` // token ranges that would be read, or files
	// Partitions, Rows and Bytes are about how many a run would read. Known is false if the server
	// has no estimate; then they are 0. Bytes are those on disk, before compression.
	Known      bool  `json:"known"`
	Partitions int64 `json:"partitions"`
	Rows       int64 `json:"rows"`
	Bytes      int64 `json:"bytes"`
	Requests   int64 `json:"requests"` // about how many requests, reads and writes together; 0 if it is not known

	Creates     []string `json:"creates,omitempty"`     // statements that would be run first, in order
	Differences []string `json:"differences,omitempty"` // between the schemas, that do not stop the run
	Lossy       []string `json:"lossy,omitempty"`       // what would not arrive as it was
	Notes       []string `json:"notes,omitempty"`       // what else to know before a run
}

// String returns the plan as a few lines for people.
func (p Plan) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s", p.Verb, p.From)
	if p.To != "" {
		fmt.Fprintf(&s, " to %s", p.To)
	}
	fmt.Fprintf(&s, ": %d ranges, ", p.Ranges)
	if p.Known {
		fmt.Fprintf(&s, "about %d rows in %d partitions, %s, as the servers estimate", p.Rows, p.Partitions, bytesText(p.Bytes))
	} else {
		s.WriteString("the server has no estimate of its size yet")
	}
	if p.Requests > 0 {
		fmt.Fprintf(&s, ", about %d requests", p.Requests)
	}
	s.WriteByte('\n')
	for _, part := range []struct {
		title string
		lines []string
	}{{"would create", p.Creates}, {"differs", p.Differences}, {"lossy", p.Lossy}, {"note", p.Notes}} {
		for _, line := range part.lines {
			fmt.Fprintf(&s, "  %s: %s\n", part.title, line)
		}
	}
	return s.String()
}

// bytesText writes a number of bytes with a unit that keeps it readable.
func bytesText(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	default:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
}
