package driver

import (
	"errors"

	"github.com/gocql/gocql"
)

// MayBeApplied reports whether a write that failed with err may have been
// applied, now or later, in part or as a whole: see Class.Ambiguous. It says no
// more than is certain for a write to one partition. A write timeout leaves it
// open whatever its WriteType: even with BATCH_LOG, where the batch itself had not
// been begun, a node that did store the log will play it.
func MayBeApplied(err error) bool {
	if NotSent(err) || errors.Is(err, gocql.ErrNoStreams) { // the driver had no number for the request
		return false
	}
	return Classify(err).Ambiguous()
}
