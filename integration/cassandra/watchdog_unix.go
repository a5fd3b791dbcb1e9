//go:build unix

package cassandra

import (
	"os/exec"
	"strconv"
	"syscall"
)

// startWatchdog starts a shell that kills the process when this program ends
// without having called release. It sees that by its standard input: the other end
// is held by this program alone, and a read that meets the end fails.
//
// Only systems whose kernel has no parent-death signal need it. If the shell does
// not start the process is merely not watched.
func startWatchdog(pid int) (release func()) {
	cmd := exec.Command("/bin/sh", "-c", "read -r line || kill -9 "+strconv.Itoa(pid))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return func() {}
	}
	if err := cmd.Start(); err != nil {
		return func() {}
	}
	return func() {
		_, _ = in.Write([]byte("done\n"))
		_ = in.Close()
		_ = cmd.Wait()
	}
}
