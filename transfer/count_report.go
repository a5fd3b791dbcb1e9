package transfer

import (
	"fmt"
	"strings"

	"github.com/rxcql/rxcql"
)

// CountReport is what a count has found. Of a job that was interrupted it has what all runs
// together have counted.
type CountReport struct {
	Table      string `json:"table"`
	Rows       int64  `json:"rows"`
	Partitions int64  `json:"partitions"`
	// StaticOnly are those of the partitions that have static columns and no rows.
	StaticOnly int64 `json:"static_only_partitions"`
	Bytes      int64 `json:"bytes,omitempty"` // of all values; see CountSizes

	Ranges []CountRange `json:"ranges,omitempty"` // see CountRanges; in the order of their tokens

	// See CountLargest; the largest first.
	LargestByRows  []CountPartition `json:"largest_by_rows,omitempty"`
	LargestByBytes []CountPartition `json:"largest_by_bytes,omitempty"`

	Run rxcql.Report `json:"run"`
}

// CountRange is what a range of tokens has: those above Start, up to End.
type CountRange struct {
	Start      int64 `json:"start"`
	End        int64 `json:"end"`
	Rows       int64 `json:"rows"`
	Partitions int64 `json:"partitions"`
	StaticOnly int64 `json:"static_only_partitions,omitempty"`
	Bytes      int64 `json:"bytes,omitempty"`
}

// CountPartition is one of the largest partitions.
type CountPartition struct {
	Key   []string `json:"key"` // the values of the partition key, as text
	Rows  int64    `json:"rows"`
	Bytes int64    `json:"bytes,omitempty"`
}

// String returns the report as a few lines for people.
func (r CountReport) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %d rows in %d partitions", r.Table, r.Rows, r.Partitions)
	if r.StaticOnly > 0 {
		fmt.Fprintf(&s, " (%d of them without rows)", r.StaticOnly)
	}
	if r.Bytes > 0 {
		fmt.Fprintf(&s, ", %s of values", bytesText(r.Bytes))
		if r.Rows > 0 {
			fmt.Fprintf(&s, ", %s a row", bytesText(r.Bytes/r.Rows))
		}
	}
	s.WriteByte('\n')
	if !r.Run.Complete {
		s.WriteString("  not the whole table: the count is not complete\n")
	}
	for _, part := range r.Run.Unread {
		fmt.Fprintf(&s, "  unread: %v\n", part)
	}
	for _, part := range []struct {
		title string
		list  []CountPartition
	}{{"most rows", r.LargestByRows}, {"most bytes", r.LargestByBytes}} {
		for _, p := range part.list {
			fmt.Fprintf(&s, "  %s: %12d rows", part.title, p.Rows)
			if p.Bytes > 0 {
				fmt.Fprintf(&s, "  %10s", bytesText(p.Bytes))
			}
			fmt.Fprintf(&s, "  %s\n", strings.Join(p.Key, ", "))
		}
	}
	for _, each := range r.Ranges {
		fmt.Fprintf(&s, "  (%20d, %20d] %12d rows %12d partitions", each.Start, each.End, each.Rows, each.Partitions)
		if each.Bytes > 0 {
			fmt.Fprintf(&s, "  %10s", bytesText(each.Bytes))
		}
		s.WriteByte('\n')
	}
	return s.String()
}
