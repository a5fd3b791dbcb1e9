package cassandra

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
)

// daemon is one running process that cannot outlive this program.
type daemon struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended and is waited for
	wait   sync.WaitGroup
	err    error // how it ended, after exited
}

// startDaemon starts cmd with its output appended to logFile.
//
// On Linux the kernel kills the process when its parent dies, but it takes the OS
// thread that started the process for the parent. So that thread is kept from the
// scheduler, and with it alive, until the process has ended.
func startDaemon(cmd *exec.Cmd, logFile string) (*daemon, error) {
	out, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	bindToParent(cmd)

	d := &daemon{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error)
	d.wait.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		release := watchParent(cmd.Process.Pid)
		started <- nil
		d.err = cmd.Wait()
		release()
		close(d.exited)
	})
	if err := <-started; err != nil {
		d.wait.Wait()
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return d, nil
}

// kill ends the process at once, paused or not, and waits until it is gone.
func (d *daemon) kill() error {
	err := d.cmd.Process.Kill()
	d.wait.Wait()
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// alive reports whether the process has not ended yet.
func (d *daemon) alive() bool {
	select {
	case <-d.exited:
		return false
	default:
		return true
	}
}
