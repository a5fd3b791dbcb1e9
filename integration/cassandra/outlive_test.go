//go:build unix

package cassandra_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// playChild is the program that dies in the tests below. It prints the process id
// of what it started and the folder it keeps.
func playChild(play string) int {
	kind, end, _ := strings.Cut(play, " ")
	switch kind {
	case "cassandra":
		c, err := cassandra.Start(context.Background())
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println(c.Nodes()[0].Pid(), filepath.Dir(filepath.Dir(c.Nodes()[0].LogFile())))
	case "sleep":
		pid, _, err := cassandra.StartSleep(os.DevNull)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println(pid, "-")
	case "watched":
		cmd := exec.Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			fmt.Println(err)
			return 1
		}
		cassandra.StartWatchdog(cmd.Process.Pid)
		fmt.Println(cmd.Process.Pid, "-")
	}
	switch end {
	case "exit":
		return 0
	case "panic":
		// As the test binary's own timeout does: from a goroutine, with no defers run.
		go panic("test timed out")
	}
	select {}
}

// startChild starts this test binary as the program that dies.
func startChild(t *testing.T, play string) (cmd *exec.Cmd, pid int, folder string) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RXCQL_TEST_CHILD="+play, "RXCQL_CASSANDRA=process", "CASSANDRA_HOSTS=")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	fields := strings.Fields(line)
	pid, err = strconv.Atoi(fields[0])
	require.NoError(t, err, line)
	return cmd, pid, fields[1]
}

func requireGone(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool { return gone(pid) }, 2*time.Minute, 10*time.Millisecond)
}

func TestTheServerOfAKilledProgramDiesAndItsDataIsSwept(t *testing.T) {
	cmd, pid, folder := startChild(t, "cassandra wait")
	require.False(t, gone(pid))
	cassandra.SweepRunDirs(cassandra.UserRunRoot(), 0)
	require.DirExists(t, folder, "a living program keeps its data")
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait() // its error is the kill
	requireGone(t, pid)
	cassandra.SweepRunDirs(cassandra.UserRunRoot(), 0)
	require.NoDirExists(t, folder)
	require.NoFileExists(t, folder+".lock")
}

func TestAProcessDoesNotOutliveAProgramThatPanicsOrExits(t *testing.T) {
	for _, end := range []string{"panic", "exit"} {
		cmd, pid, _ := startChild(t, "sleep "+end)
		_ = cmd.Wait() // a panic's error is wanted
		requireGone(t, pid)
	}
}

func TestAProcessOutlivesTheThreadThatAskedForIt(t *testing.T) {
	var pid int
	var kill func() error
	asked := make(chan error)
	go func() {
		// A goroutine that ends with its thread locked takes the thread with it.
		runtime.LockOSThread()
		var err error
		pid, kill, err = cassandra.StartSleep(os.DevNull)
		asked <- err
	}()
	require.NoError(t, <-asked)
	// Let the scheduler retire threads as it likes.
	for range 20 {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	require.False(t, gone(pid))
	require.NoError(t, kill())
	require.True(t, gone(pid))
}

func TestAFolderIsSweptOnlyWhenItsOwnerIsDead(t *testing.T) {
	root := t.TempDir()
	path, release, _, err := cassandra.NewRunDir(root)
	require.NoError(t, err)
	cassandra.SweepRunDirs(root, 0)
	require.DirExists(t, path)
	require.NoError(t, release())
	cassandra.SweepRunDirs(root, time.Hour)
	require.DirExists(t, path, "a young folder is let be")
	cassandra.SweepRunDirs(root, 0)
	require.NoDirExists(t, path)

	path, _, remove, err := cassandra.NewRunDir(root)
	require.NoError(t, err)
	require.NoError(t, remove())
	require.NoDirExists(t, path)
	left, err := os.ReadDir(root)
	require.NoError(t, err)
	require.Empty(t, left)
}
