package cassandra

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// awaitPaused waits until all threads of the process stand still, or it has ended. kill(2) returns
// before that: on a busy machine the threads still answer for a while.
func awaitPaused(p *os.Process) error {
	for {
		err := unix.Waitid(unix.P_PID, p.Pid, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
