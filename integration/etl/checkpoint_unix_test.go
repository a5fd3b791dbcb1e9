//go:build unix

package etl_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

func TestKilledOrStoppedTheJobGoesOnWithACheckpoint(t *testing.T) {
	want := figuresOfEmbedded(t)
	etl := build(t, "etl")
	session, keyspace := cassandra.Keyspace(t, cluster)
	folder := t.TempDir()
	args := append(against(keyspace), "--json", "--checkpoint", folder)
	signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL, syscall.SIGKILL}
	codes := map[syscall.Signal]int{syscall.SIGKILL: -1, syscall.SIGINT: 130, syscall.SIGTERM: 143}
	for i, signal := range signals {
		watch := savesIn(t, folder)
		p := start(t, nil, etl, args...)
		if watch.wait(p, 1+rand.IntN(3)) {
			require.NoError(t, p.cmd.Process.Signal(signal))
		}
		got := p.wait(t, etlWait())
		if got.code == 0 { // it came to its end before the signal
			continue
		}
		require.Equal(t, codes[signal], got.code, got.stderr)
		if signal != syscall.SIGKILL {
			rep := parsed(t, got.stdout)
			require.Equal(t, got.code, rep.ExitCode)
			require.Equal(t, i > 0, rep.Load.Resumed, "a save was made before it was ended")
		}
	}
	got := runETL(t, etl, keyspace, args[len(args)-3:]...)
	require.Zero(t, got.code, got.stderr)
	rep := parsed(t, got.stdout)
	require.True(t, rep.Load.Resumed)
	require.EqualValues(t, want.flights, rep.Load.ResumedRows+rep.Load.ReadRows)
	require.EqualValues(t, want.flights, rep.Run.ResumedRows+rep.Run.ReadRows)
	requireTables(t, session, want)

	got = runETL(t, etl, keyspace, args[len(args)-3:]...)
	require.Zero(t, got.code, got.stderr)
	rep = parsed(t, got.stdout)
	require.Zero(t, rep.Load.ReadRows+rep.Run.ReadRows, "what is done is not done again")
	require.Len(t, rep.Worst, 10)

	got = runETL(t, etl, keyspace, append(args[len(args)-2:], "--flights", file(t, "other.csv", header+"2001-01-01T00:01:00Z,1,500,AAA,BBB\n"))...)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "belongs to something else", fmt.Sprint(got))
}

// saves watches the checkpoints in a folder.
type saves struct {
	files []string
	last  [][]byte
}

func savesIn(t *testing.T, folder string) *saves {
	t.Helper()
	s := &saves{}
	for _, step := range []string{"load", "fold"} {
		name := filepath.Join(folder, "etl-"+step+".checkpoint")
		data, err := os.ReadFile(name)
		require.True(t, err == nil || os.IsNotExist(err), "%v", err)
		s.files, s.last = append(s.files, name), append(s.last, data)
	}
	return s
}

// wait returns true when n more saves have been seen; false when the program has
// ended before.
func (s *saves) wait(p *program, n int) bool {
	for n > 0 {
		select {
		case <-p.ended:
			return false
		case <-time.After(5 * time.Millisecond): // to look again
		}
		for i, name := range s.files {
			if data, err := os.ReadFile(name); err == nil && !bytes.Equal(data, s.last[i]) {
				s.last[i] = data
				n--
			}
		}
	}
	return true
}
