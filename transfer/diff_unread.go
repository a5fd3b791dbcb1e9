package transfer

import (
	"bufio"
	"context"

	"github.com/rxcql/rxcql"
)

// unreadName is the file of the parts of tables that the first phase of a Diff could not read, as
// differences.
const unreadName = "unread.ndjson"

// unreadPart is the line of a Diff for a part of a table that could not be read.
func unreadPart(part *rxcql.Unread) *Difference {
	d := &Difference{Cause: Unread, Range: &[2]int64{part.Tokens.Start, part.Tokens.End}, Reason: "source: " + part.Reason}
	if part.Table == "right" {
		d.Reason = "target: " + part.Reason
	}
	if part.Within != "" {
		d.Reason += " (" + part.Within + ")"
	}
	return d
}

// unread adds the line of a part of a table that could not be read.
func (s *scanning) unread(part *scannedPart, of *rxcql.Unread) {
	s.lines = append(s.lines, scanned{Unread: unreadPart(of)})
	if of.Tokens.Start == of.Tokens.End-1 { // else it has whole partitions
		part.torn = append(part.torn, of.Tokens.End)
	}
}

// siftUnread writes that file from the one of the first phase, and returns how many parts it has.
func siftUnread(ctx context.Context, f folder, from string) (parts int64, err error) {
	err = f.replace(unreadName, func(w *bufio.Writer) error {
		return eachLine(ctx, f.file(from), func(l scanned) error {
			if l.Unread == nil {
				return nil
			}
			parts++
			return appendLine(w, l.Unread)
		})
	})
	return parts, err
}
