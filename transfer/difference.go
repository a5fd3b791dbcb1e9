package transfer

import (
	"encoding/json"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

// Cause says how a row, or a column of a row, differs between the source (left) and the target
// (right) of a Diff.
type Cause string

// The causes. A row has the first of these that one of its columns has: Differing (also for a
// column that is Missing), Extra, Tie, Newer.
const (
	// Missing: the source has it, and the target does not.
	Missing Cause = "missing"
	// Extra: the target has it, and the source does not. It may have been deleted at the source.
	Extra Cause = "extra"
	// Differing: both have it, and the values differ, or with WithTimes their write times or
	// expiry. The source's was written later, or it is not known which one was.
	Differing Cause = "differing"
	// Newer: likewise, and the target's was written later. Repair leaves it.
	Newer Cause = "newer"
	// Tie: likewise, and both were written at one time. Repair leaves it unless it is told to Bump.
	Tie Cause = "tie"
	// Unstable: it differed each time that it was read, and each time in another way. It is being
	// written, and nothing can be said of it.
	Unstable Cause = "unstable"
	// Unread: the servers could not read it, whatever was tried (too many tombstones). Reason says
	// which side, and more. With a Range it is about all rows in it, or about some of them, as Reason
	// says; none of these were compared.
	Unread Cause = "unread"
)

// Difference is one line of what a Diff found, and of what Repair takes.
//
// As JSON it is an object such as
//
//	{"cause":"differing","key":{"id":7},"columns":[{"name":"v","cause":"differing",
//	 "source_time":1764212400000000,"target_time":1764212300000000}]}
//
// in one line.
//
// A file of keys for Repair needs "key" alone in each line, and a file of ranges "range".
type Difference struct {
	Cause Cause `json:"cause,omitempty"`

	// Key has the columns of the primary key by the source's names, in the forms that files of
	// package source have. Of a difference of static columns it has the partition key alone.
	Key json.RawMessage `json:"key,omitempty"`
	// Static: it is about the static columns of a partition, and about no row.
	Static bool `json:"static,omitempty"`
	// Range: it is about all rows with a token in (Range[0], Range[1]], and not about one row.
	Range *[2]int64 `json:"range,omitempty"`

	// Columns are the columns that differ, by the source's names. There are none where the whole
	// row is Missing, Extra, Unstable or Unread.
	Columns []ColumnDifference `json:"columns,omitempty"`
	// Reason says why it is Unread.
	Reason string `json:"reason,omitempty"`
}

// ColumnDifference says how a column of a row differs.
type ColumnDifference struct {
	Name  string `json:"name"`
	Cause Cause  `json:"cause"` // Missing, Extra, Differing, Tie or Newer
	// When the values were written, in microseconds since 1970, which may be negative; the latest
	// element of a collection. It is 0 also where there is no value, or the server cannot say it.
	SourceTime int64 `json:"source_time,omitempty"`
	TargetTime int64 `json:"target_time,omitempty"`
	// When the values expire, in seconds since 1970, where both were written at one time. 0 for
	// never.
	SourceExpires int64 `json:"source_expires,omitempty"`
	TargetExpires int64 `json:"target_expires,omitempty"`
}

// Tokens returns the range that the difference is about; false if it is about a row.
func (d Difference) Tokens() (r flow.TokenRange, known bool) {
	if d.Range == nil {
		return flow.TokenRange{}, false
	}
	return flow.TokenRange{Start: d.Range[0], End: d.Range[1]}, true
}

// Differences reads what a Diff found, from the folder that it was given. The Diff must have ended;
// else the file is not there.
func Differences(folder string) rxcql.Stream[Difference] {
	return source.NDJSON[Difference](inFolder(folder).differences())
}

// RangeSum is the checksum of the rows of a range of tokens, on both sides.
//
// The ranges are always the same 256, whatever the splits and the nodes, so sums of several runs
// and of several clusters can be compared. A sum is that of the hashes (xxHash64) of all rows, each
// of the key and the values that are compared, so the order does not matter. It is no protection
// against somebody who wants two tables to look equal. Write times and static columns are not in
// it. A row that was moving while it was read is in the sums as it was then, so the sums of a range
// may differ where no difference was found.
type RangeSum struct {
	Range      [2]int64 `json:"range"` // (from, to]
	SourceRows int64    `json:"source_rows"`
	TargetRows int64    `json:"target_rows"`
	SourceSum  string   `json:"source_sum"` // 16 hexadecimal digits
	TargetSum  string   `json:"target_sum"`
}

// Same reports whether both sides have the same rows, as far as sums can tell.
func (s RangeSum) Same() bool {
	return s.SourceRows == s.TargetRows && s.SourceSum == s.TargetSum
}

// RangeSums reads the checksums that a Diff made, from the folder that it was given. The Diff must
// have ended; else the file is not there.
func RangeSums(folder string) rxcql.Stream[RangeSum] {
	return source.NDJSON[RangeSum](inFolder(folder).sums())
}
