//go:build unix

package cassandra

import (
	"os"
	"syscall"
)

func pauseProcess(p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return awaitPaused(p)
}

func resumeProcess(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
