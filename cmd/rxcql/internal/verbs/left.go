package verbs

import (
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/show"
)

// leftOut says in words which rows a run has left out.
func leftOut(r rxcql.Report) (left []string) {
	for _, part := range []struct {
		rows int64
		what string
	}{
		{r.Skipped, "bad rows were left out"},
		{r.DeadLettered, "bad rows are in the file for them"},
		{r.EarlierFailed, "bad rows were left out, or put into the file for them, by earlier runs"},
		{r.UnreadParts, "parts of the table could not be read: compact the table after gc_grace_seconds, or raise the servers' " +
			"tombstone_failure_threshold or timeouts, and run again"},
		{r.Unknown, "rows were sent, and it is not known whether they were written"},
	} {
		if part.rows > 0 {
			left = append(left, fmt.Sprintf("%s %s", show.Thousands(part.rows), part.what))
		}
	}
	return left
}
