//go:build unix

package command_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var kills = flag.Int("command.kills", 20, "how often the command is killed, in each test")

// killed starts the command again and again, and kills it after a while, until it has been killed
// often enough or has come to its end. It returns how often it was killed.
func killed(t *testing.T, most int, args ...string) (times int) {
	t.Helper()
	for times < most {
		p := start(t, args...)
		// The start takes a while on a machine that is busy: kills before it is at work prove little.
		timer := time.AfterFunc(time.Duration(30+rand.Int64N(1500))*time.Millisecond, func() { _ = p.cmd.Process.Kill() })
		code := p.wait(t)
		timer.Stop()
		if code >= 0 {
			require.Zero(t, code, p.stderr.String()+p.stdout.String())
			return times
		}
		times++
	}
	code, stdout, stderr := run(t, args...)
	require.Zero(t, code, stderr+stdout)
	return times
}

func TestTransferACopyThatIsKilledAtRandomIsWhole(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", 20_000)
	n, rounds := 0, 0
	for ; n < *kills; rounds++ {
		to := fmt.Sprintf("%s.copy_%d", ks, rounds)
		n += killed(t, *kills-n, "copy", ks+".t", "--to", to, "--create", "--checkpoint", t.TempDir(), "--splits", fmt.Sprint(16+rounds), "--rate", "20k", "--progress", "none")
		same(t, session, ks+".t", to)
	}
	t.Logf("killed %d times in %d copies", n, rounds)
}

func TestTransferACountThatIsKilledAtRandomCountsEachRowOnce(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", 20_000)
	for n := 0; n < min(*kills, 5); {
		folder := t.TempDir()
		args := []string{"count", ks + ".t", "--checkpoint", folder, "--rate", "20k", "--progress", "none"}
		n += killed(t, min(*kills, 5)-n, args...)
		code, stdout, stderr := run(t, append(args, "--json", "-")...)
		require.Zero(t, code, stderr)
		require.EqualValues(t, 20_000, counted(t, parsed(t, stdout).Tables[0]).Rows)
	}
}

func TestASignalEndsARunInOrderAndTheSameCommandGoesOn(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", 10_000)
	fill(t, session, ks+".u", 100)
	require.NoError(t, session.Query("CREATE TABLE "+ks+".copy (p bigint, c int, a text, b bigint, PRIMARY KEY (p, c))").Exec())
	folder := t.TempDir()
	args := []string{"copy", ks + ".t", "--to", ks + ".copy", "--checkpoint", folder, "--progress", "none", "--json", "-"}
	p := start(t, append(args, "--rate", "500")...)
	for len(rows(t, session, ks+".copy")) == 0 { // until it is at work
		select {
		case <-p.over:
			require.Fail(t, "it ended", p.stderr.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
	require.Equal(t, 4, p.wait(t), p.stderr.String())
	r := parsed(t, p.stdout.String())
	require.Equal(t, "stopped", r.Tables[0].Status)
	require.Positive(t, r.Read)
	require.Equal(t, r.Read, r.Written, "what has been read is written")
	require.Len(t, rows(t, session, ks+".copy"), int(r.Written))
	require.True(t, strings.HasPrefix(r.GoOn, "the run goes on with the same command: rxcql copy "), r.GoOn)

	code, stdout, stderr := run(t, args...)
	require.Zero(t, code, stderr)
	second := parsed(t, stdout)
	require.EqualValues(t, 10_000, second.Read, "those of the run before are counted")
	require.EqualValues(t, 10_000-r.Written, second.Written, "and not copied again")
	same(t, session, ks+".t", ks+".copy")
}
