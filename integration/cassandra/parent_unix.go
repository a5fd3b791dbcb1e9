//go:build unix && !linux

package cassandra

import (
	"os/exec"
	"syscall"
)

// bindToParent gives the process a group of its own, which keeps a Ctrl-C away
// from the server, so that a program which ends in order can still write.
func bindToParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// watchParent kills the process when this program dies, as the kernel would on Linux.
func watchParent(pid int) (release func()) { return startWatchdog(pid) }
