package checkpoint_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/checkpoint"
)

// helper is a process that works on a checkpoint.
type helper struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner // what it says
	stdin io.WriteCloser // it ends when this is closed
}

func startHelper(t *testing.T, name string, args ...string) *helper {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), helperEnv+"="+name)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	h := &helper{cmd: cmd, lines: bufio.NewScanner(stdout), stdin: stdin}
	t.Cleanup(h.kill)
	return h
}

// kill ends the process as kill -9 does, and waits for it.
func (h *helper) kill() {
	if h.cmd.ProcessState == nil {
		_ = h.cmd.Process.Kill()
		_ = h.cmd.Wait()
	}
}

// line waits for the next line that it says.
func (h *helper) line(t *testing.T) string {
	t.Helper()
	require.True(t, h.lines.Scan(), "the helper said nothing more: %v", h.lines.Err())
	return h.lines.Text()
}

// holdLock locks args[0], saves args[1], and holds on until its input ends.
func holdLock(ctx context.Context, args []string) error {
	c, err := checkpoint.File(args[0]).Lock(ctx, "job")
	if err != nil {
		return err
	}
	if err := c.Save(ctx, []byte(args[1])); err != nil {
		return err
	}
	fmt.Println("saved")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, c.Unlock())
}

// saveForEver saves one version after the other in args[0] and says the number
// of each when Save has returned.
func saveForEver(ctx context.Context, args []string) error {
	c, err := checkpoint.File(args[0]).Lock(ctx, "job")
	if err != nil {
		return err
	}
	before, err := c.Load(ctx)
	if err != nil {
		return err
	}
	n := uint32(0)
	if before != nil {
		if n, err = versionOf(before); err != nil {
			return err
		}
	}
	for {
		n++
		if err := c.Save(ctx, version(n)); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// version is version n of a checkpoint: from 100 KB to 800 KB, with a sum.
func version(n uint32) []byte {
	data := make([]byte, 100_000+int(n%8)*100_000)
	for i := range data {
		data[i] = byte(uint32(i) * (2*n + 1))
	}
	binary.BigEndian.PutUint32(data, n)
	return binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(data))
}

// versionOf tells which version data are, if they are whole.
func versionOf(data []byte) (uint32, error) {
	if len(data) < 8 {
		return 0, fmt.Errorf("%d bytes are not whole", len(data))
	}
	body, sum := data[:len(data)-4], data[len(data)-4:]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(sum) {
		return 0, fmt.Errorf("%d bytes with another sum are not whole", len(data))
	}
	return binary.BigEndian.Uint32(body), nil
}
