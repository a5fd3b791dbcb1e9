package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/gocql/gocql"
)

// Infrastructure reports whether an error is one that any request, or any call of a function, would
// have met at that time: no answer in time, replicas or connections missing, a closed session,
// missing permissions, a full disk. It returns false for an error that its own subject is to blame
// for, and for errors that say nothing of the kind.
//
// Unlike in Classify, an io.EOF by itself does not count as a lost connection, since a parser
// returns it too; nor does a missing file.
func Infrastructure(err error) bool {
	var (
		request gocql.RequestError
		errno   syscall.Errno
		timeout interface{ Timeout() bool }
		network *net.OpError
		name    *net.DNSError
	)
	switch class := Classify(err); class {
	case None:
		return false
	case Invalid, TooLarge, FrameTooBig:
		return errors.As(err, &request) && slices.ContainsFunc(ofAnyRow, func(said string) bool {
			return strings.Contains(request.Message(), said)
		})
	case ConnectionLost:
		if errors.Is(err, gocql.ErrConnectionClosed) || errors.Is(err, gocql.ErrTooManyTimeouts) {
			return true
		}
	case Other:
	default:
		return true
	}
	switch {
	case errors.As(err, &network), errors.As(err, &name), errors.Is(err, net.ErrClosed),
		errors.As(err, &timeout) && timeout.Timeout():
		return true
	case errors.As(err, &errno):
		return connection[errno] || machine[errno] || errno.Temporary()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return false
	}
	return ofText(err) == ConnectionLost
}

// ofAnyRow are words in answers of the kind Invalid for which no value is to blame. They are of a
// server that takes no writes because disks are full, or refuses the consistency of the request.
var ofAnyRow = []string{
	"replica_disk_usage", "read_consistency_levels", "write_consistency_levels", // guardrails
	"ConsistencyLevel is only supported for", "You must use conditional updates for serializable writes",
	"is not supported as conditional update commit consistency", "is not yet supported for counter table",
	"Counter operations are inherently non-serializable", "not compatible with replication strategy",
}

// machine has the errors of the operating system, in addition to those of connections, for which no
// single row is to blame.
var machine = map[syscall.Errno]bool{
	syscall.ENOSPC: true, syscall.EDQUOT: true, syscall.EIO: true, syscall.EROFS: true,
	syscall.EMFILE: true, syscall.ENFILE: true, syscall.ENOMEM: true,
}

// ForTheRow reports whether a refusal is due to the row whose values were bound, provided that the
// server takes the statement itself (Stands).
func ForTheRow(err error) bool {
	switch Classify(err) {
	case Invalid, TooLarge, FrameTooBig:
		return true
	}
	return false
}

// Stands checks, after the server has refused a statement with values as invalid, that it still
// takes the statement itself: if a table was dropped or altered, no row is to blame. A driver that
// knows the statement as prepared answers without asking the server. It has forgotten the statement
// if the server refused that.
func Stands(ctx context.Context, refusal error, prepares func(context.Context) error) error {
	if Classify(refusal) != Invalid {
		return nil
	}
	err := prepares(ctx)
	if err == nil {
		return nil
	}
	if c := Classify(err); c == Invalid || c == Syntax {
		err = fmt.Errorf("%w: the server no longer takes the statement: %w", ErrSchema, err)
	}
	return err
}
