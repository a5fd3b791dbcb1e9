package driver

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/gocql/gocql"
)

// Infrastructure tells errors that any request, or any call of a function, would
// have met at that time, from those that what it was about is to blame for: no
// answer in time, replicas or connections missing, a session closed, permissions,
// a full disk. Errors that say nothing of the kind are not.
//
// Unlike for Classify, an io.EOF by itself is nobody's connection: a parser
// returns it too. The same goes for files that are not there.
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
		return errors.As(err, &request) && strings.Contains(request.Message(), diskGuardrail)
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

// diskGuardrail is in the answer, of the kind Invalid, of a server that takes no
// writes because disks are full.
const diskGuardrail = "replica_disk_usage"

// machine are the errors of the operating system, beside those of connections, that no
// one row is to blame for.
var machine = map[syscall.Errno]bool{
	syscall.ENOSPC: true, syscall.EDQUOT: true, syscall.EIO: true, syscall.EROFS: true,
	syscall.EMFILE: true, syscall.ENFILE: true, syscall.ENOMEM: true,
}
