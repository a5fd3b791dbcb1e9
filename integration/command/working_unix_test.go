//go:build unix

package command_test

import (
	"errors"
	"flag"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/saved"
)

var kills = flag.Int("command.kills", 20, "how often the command is killed, in all tests together")

// killedVerbs are the tests that share the kills: copy, count, unload, load, diff, repair.
const killedVerbs = 6

// share is how many kills a test has to itself.
func share() int { return (*kills + killedVerbs - 1) / killedVerbs }

// until waits for an event while the command runs. It reports whether the event came before the
// command's end.
func (p *program) until(t *testing.T, event func() bool) bool {
	t.Helper()
	for end := time.Now().Add(testWait); !event(); {
		require.True(t, time.Now().Before(end), "nothing happens: %s", p.stderr.String())
		select {
		case <-p.over:
			return event()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return true
}

// lastWritten is when a file of a folder was last written or made.
func lastWritten(folder string) (last time.Time) {
	_ = filepath.WalkDir(folder, func(_ string, e fs.DirEntry, gone error) error { // files come and go meanwhile
		if gone == nil && !e.IsDir() {
			if about, err := e.Info(); err == nil && about.ModTime().After(last) {
				last = about.ModTime()
			}
		}
		return nil
	})
	return last
}

// killed starts the command again and again, and kills it at random once it is at work, until it
// has been killed often enough or has come to its end, with that exit code. folder is where it
// keeps how far it is. killed returns how often the command was killed.
func killed(t *testing.T, most, code int, folder string, args ...string) (times int) {
	t.Helper()
	for times < most {
		before := lastWritten(folder)
		p := start(t, args...)
		p.until(t, func() bool { return !lastWritten(folder).Equal(before) })
		timer := time.AfterFunc(time.Duration(rand.Int64N(int64(900*time.Millisecond))), func() { _ = p.cmd.Process.Kill() })
		got := p.wait(t)
		timer.Stop()
		if got >= 0 {
			require.Equal(t, code, got, p.stderr.String()+p.stdout.String())
			return times
		}
		times++
	}
	got, stdout, stderr := run(t, args...)
	require.Equal(t, code, got, stderr+stdout)
	return times
}

// settled is how many rows a checkpoint takes for done with; 0 if there is none.
func settled(t *testing.T, file string) (rows int64) {
	t.Helper()
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	require.NoError(t, err)
	state, err := saved.Decode(data)
	require.NoError(t, err)
	for _, src := range state.Sources {
		rows += src.Rows
		for _, part := range src.Parts {
			rows += part.Rows
		}
	}
	return rows
}

// stopped starts the command and stops it by a signal once its checkpoint has more rows than
// before. The command must be so slow that it does not come to its end meanwhile.
func stopped(t *testing.T, file string, args ...string) report {
	t.Helper()
	before := settled(t, file)
	p := start(t, args...)
	require.True(t, p.until(t, func() bool { return settled(t, file) > before }), "it ended: %s", p.stderr.String())
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
	require.Equal(t, 4, p.wait(t), p.stderr.String())
	return parsed(t, p.stdout.String())
}
