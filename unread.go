package rxcql

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/rxcql/rxcql/flow"
)

// ErrUnread: parts of a table could not be read at all, so the run is not complete. See
// UnreadError.
var ErrUnread = errors.New("rxcql: parts of a source could not be read")

// Unread is a part of a source that could not be read, though it was asked for in ever smaller
// pieces (source.AdaptiveSplits). Rows of it may be missing in what the run has written.
type Unread struct {
	Stage string `json:"stage"`
	// Table says which of two tables it is, "left" or "right"; it is empty if there is one.
	Table string `json:"table,omitempty"`
	// Tokens is the token range, and Range is its text, such as (-100, 250]. If it has one token,
	// that of a partition, then token(key) = 250 finds the partition.
	Tokens flow.TokenRange `json:"-"`
	Range  string          `json:"range"`
	// Within says which rows of the partition; it is empty for all rows of the range. It has no
	// values of rows.
	Within string `json:"within,omitempty"`
	Reason string `json:"reason"` // without values
}

func (u Unread) String() string {
	where := "range " + u.Range
	if u.Table != "" {
		where += " of the " + u.Table + " table"
	}
	if u.Within != "" {
		where += ", " + u.Within
	}
	return fmt.Sprintf("%s, %s: %s", u.Stage, where, u.Reason)
}

// UnreadError is the error of a run that has no other error, and in which parts of a source could
// not be read (ErrUnread). All other rows were read and written. In a job with a checkpoint the
// next run asks for these parts again.
type UnreadError struct {
	Parts int64  // that could not be read
	First Unread // the first of them; Report.Unread has more
}

func (e *UnreadError) Error() string {
	return fmt.Sprintf("%v: %d, the first is of stage %v; compact the table after gc_grace_seconds, raise the server's "+
		"tombstone_failure_threshold or its timeouts, and read again", ErrUnread, e.Parts, e.First)
}

// Is makes errors.Is(err, ErrUnread) hold.
func (e *UnreadError) Is(target error) bool { return target == ErrUnread }

// mostUnread is how many parts a report names.
const mostUnread = 100

// unread are the parts of a run that could not be read.
type unread struct {
	mu   sync.Mutex
	n    int64
	list []Unread
}

// CountUnread notes a part of the source that could not be read. The run goes on, and ends with an
// UnreadError if there is no other. A source that calls it ends with stopped set
// (flow.Observer.Done), and sees to it that a later run of the job asks for the part again.
func (s *Stage) CountUnread(part Unread) {
	part.Stage = s.name
	u := &s.run.unread
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n++; len(u.list) < mostUnread {
		u.list = append(u.list, part)
	}
}

// report returns how many parts there are, and names the first of them.
func (u *unread) report() (n int64, list []Unread) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.n, slices.Clone(u.list)
}

// err returns the error of a run that has no other; nil if all was read.
func (u *unread) err() error {
	n, list := u.report()
	if n == 0 {
		return nil
	}
	return &UnreadError{Parts: n, First: list[0]}
}
