package driver

import (
	"errors"

	"github.com/gocql/gocql"
)

// MayBeApplied reports whether a write that failed with err may have been applied, now or later, in
// part or as a whole: see Class.Ambiguous. It excludes only what is certain for a write to one
// partition. After a write timeout the outcome is open for every WriteType: even with BATCH_LOG,
// where the batch itself had not begun, a node that did store the log will replay it.
func MayBeApplied(err error) bool {
	if NotSent(err) || errors.Is(err, gocql.ErrNoStreams) { // the driver had no number for the request
		return false
	}
	return Classify(err).Ambiguous()
}
