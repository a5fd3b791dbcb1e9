//go:build unix

package etl_test

import (
	"fmt"
	"math/rand/v2"
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
	args := append(against(keyspace), "--json", "--checkpoint", t.TempDir())
	signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL, syscall.SIGKILL}
	codes := map[syscall.Signal]int{syscall.SIGKILL: -1, syscall.SIGINT: 130, syscall.SIGTERM: 143}
	var resumed int
	for _, signal := range signals {
		p := start(t, nil, etl, args...)
		select {
		case <-p.ended:
		case <-time.After(time.Duration(200+rand.IntN(1000)) * time.Millisecond):
			require.NoError(t, p.cmd.Process.Signal(signal))
		}
		got := p.wait(t, testWait)
		if got.code == 0 { // it came to its end before the signal
			continue
		}
		require.Equal(t, codes[signal], got.code, got.stderr)
		if signal != syscall.SIGKILL {
			if rep := parsed(t, got.stdout); rep.Load != nil && rep.Load.Resumed {
				resumed++
			}
		}
	}
	got := runETL(t, etl, keyspace, args[len(args)-3:]...)
	require.Zero(t, got.code, got.stderr)
	rep := parsed(t, got.stdout)
	require.True(t, rep.Load.Resumed || rep.Run.Resumed || resumed > 0)
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
