package cassandra

import (
	"os/exec"
	"syscall"
)

// bindToParent has the kernel kill the process when the thread that starts it
// dies. A process group of its own keeps a Ctrl-C away from the server, so that a
// program which ends in order can still write.
func bindToParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// watchParent has nothing to do: the kernel watches.
func watchParent(int) (release func()) { return func() {} }
