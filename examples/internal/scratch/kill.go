package scratch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// KillAfterALine starts this program a second time, with the keyspace and args as its
// arguments. It waits for a line on the standard output of that process, hands it on, and
// kills the process as kill -9 does. The second process calls Join, and WaitForTheEnd after
// its line.
func (p *Place) KillAfterALine(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, os.Args[0], append([]string{p.Keyspace}, args...)...)
	cmd.Env = append(os.Environ(), "RXCQL_CASSANDRA=hosts", "CASSANDRA_HOSTS="+p.Hosts)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // it ends when this process does: see WaitForTheEnd
		return err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the second process ended by itself: %w", errors.Join(err, cmd.Wait()))
	}
	err = cmd.Process.Kill()
	_ = cmd.Wait() // its error is the kill
	fmt.Print("killed after it said: ", line)
	return err
}

// WaitForTheEnd returns, with an error, when the process has ended that has started this one.
func WaitForTheEnd() error {
	_, err := io.Copy(io.Discard, os.Stdin)
	return errors.Join(errors.New("the first process has ended"), err)
}
