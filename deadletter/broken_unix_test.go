//go:build unix

package deadletter_test

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/deadletter"
)

// child starts a process that writes letters until something ends it, and gives
// what it says.
func child(t *testing.T, path, before string) (*exec.Cmd, *bufio.Scanner) {
	cmd := exec.Command("sh", "-c", before+` exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return cmd, bufio.NewScanner(out)
}

// inOrder requires letters 1 to n, without a gap.
func inOrder(t *testing.T, path string) (n int64) {
	t.Helper()
	for l, err := range deadletter.Read[string](path) {
		if err != nil {
			require.ErrorIs(t, err, deadletter.ErrTorn)
			break
		}
		n++
		require.Equal(t, n, l.N)
	}
	return n
}

func TestWhatCameBackAsWrittenIsThereAfterAKill(t *testing.T) {
	for _, after := range []int{1, 10, 100} {
		path := file(t)
		cmd, says := child(t, path, "")
		var confirmed int64
		for range after {
			require.True(t, says.Scan())
			var err error
			confirmed, err = strconv.ParseInt(says.Text(), 10, 64)
			require.NoError(t, err, says.Text())
		}
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		require.GreaterOrEqual(t, inOrder(t, path), confirmed)
		write(t, path, letter(1, "the lock went with the process"))
	}
}

func TestAFileThatCannotGrowEndsTheRunAndHasNoHalfLetters(t *testing.T) {
	path := file(t)
	cmd, says := child(t, path, "ulimit -f 64;") // blocks of 512 or 1024 bytes
	var confirmed int64
	last := ""
	for says.Scan() {
		last = says.Text()
		if n, err := strconv.ParseInt(last, 10, 64); err == nil {
			confirmed = n
		}
	}
	require.NoError(t, cmd.Wait())
	require.Contains(t, last, "file too large")
	require.Positive(t, confirmed)
	require.Equal(t, confirmed, inOrder(t, path))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, byte('\n'), data[len(data)-1], "what was written of the last letter is cut off again")
}
