package cassandra

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
)

// Node is one server of the process way. Its methods are safe for concurrent use.
type Node struct {
	host    string // host:port
	logFile string
	command func() *exec.Cmd
	again   bool // whether it finds its tables when it is started again, see Restarts
	ready   func(ctx context.Context, n *Node) error

	mu     sync.Mutex
	daemon *daemon // nil before the first start
}

// Host is the address the node answers on, as host:port. It stays the same over a
// Restart.
func (n *Node) Host() string { return n.host }

// LogFile is the file that the server logs to, at level INFO.
func (n *Node) LogFile() string { return n.logFile }

// Pid is the process id, 0 if the node does not run.
func (n *Node) Pid() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.daemon == nil || !n.daemon.alive() {
		return 0
	}
	return n.daemon.cmd.Process.Pid
}

// Pause freezes the node (SIGSTOP): connections stay open and nothing answers, as
// with a hung machine. On Linux it returns when the node stands still. It is an error if the node
// does not run.
func (n *Node) Pause() error { return n.signal("pause", pauseProcess) }

// Resume lets a paused node go on (SIGCONT); it does nothing to a running one.
func (n *Node) Resume() error { return n.signal("resume", resumeProcess) }

func (n *Node) signal(verb string, send func(*os.Process) error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.daemon == nil || !n.daemon.alive() {
		return fmt.Errorf("cassandra: %s %s: the node does not run", verb, n.host)
	}
	if err := send(n.daemon.cmd.Process); err != nil {
		return fmt.Errorf("cassandra: %s %s: %w", verb, n.host, err)
	}
	return nil
}

// Kill ends the node at once (SIGKILL), paused or not, and waits until it is gone. What it had
// acknowledged is in its commit log, and back after a Restart, except for the last moments: its log
// is synced by time, unless Setting says otherwise (commitlog_sync: batch, commitlog_sync_period:
// 0ms). Killing a node that does not run does nothing.
func (n *Node) Kill() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.kill()
}

func (n *Node) kill() error {
	if n.daemon == nil {
		return nil
	}
	if err := n.daemon.kill(); err != nil {
		return fmt.Errorf("cassandra: kill %s: %w", n.host, err)
	}
	return nil
}

// Restart kills the node if it runs, starts it again with the same address and
// data, and returns when it answers CQL; with several nodes also when it sees the
// others that run. The cluster must have been started with [Restarts] or [Production].
func (n *Node) Restart(ctx context.Context) error {
	if !n.again {
		return fmt.Errorf("cassandra: restart %s: it would not find its tables: start the cluster with the option Restarts", n.host)
	}
	if err := n.start(); err != nil {
		return fmt.Errorf("cassandra: restart %s: %w", n.host, err)
	}
	if err := n.ready(ctx, n); err != nil {
		return fmt.Errorf("cassandra: restart %s: %w", n.host, err)
	}
	return nil
}

func (n *Node) start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.kill(); err != nil {
		return err
	}
	d, err := startDaemon(n.command(), n.logFile)
	if err != nil {
		return err
	}
	n.daemon = d
	return nil
}

// ended returns an error if the process has ended, with the last lines of its log.
func (n *Node) ended() error {
	n.mu.Lock()
	d := n.daemon
	n.mu.Unlock()
	if d == nil || d.alive() {
		return nil
	}
	return fmt.Errorf("the server ended (%w)\n%s", d.err, n.logEnd())
}

// logEnd is the end of the server's log, for an error message.
func (n *Node) logEnd() string {
	text, err := os.ReadFile(n.logFile)
	if err != nil {
		return errors.Join(errors.New("no log"), err).Error()
	}
	return fmt.Sprintf("last lines of %s:\n%s", n.logFile, lastLines(string(text), 25))
}
