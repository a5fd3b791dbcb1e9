//go:build unix

package etl_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// feed is a CSV file that does not end: a named pipe into which flights are
// written little by little, so that a test can meet the program in mid-load.
type feed struct {
	path    string
	written atomic.Int64 // bytes
}

func startFeed(t *testing.T) *feed {
	t.Helper()
	f := &feed{path: filepath.Join(t.TempDir(), "feed.csv")}
	require.NoError(t, syscall.Mkfifo(f.path, 0o600))
	// Open for both, so that opening does not wait for the program.
	pipe, err := os.OpenFile(f.path, os.O_RDWR, 0)
	require.NoError(t, err)
	stop := make(chan struct{})
	var feeding sync.WaitGroup
	feeding.Go(func() {
		f.write(pipe, header)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			var lines string
			for k := range 20 {
				lines += fmt.Sprintf("2001-01-01T00:01:00Z,%d,%d,AAA,BBB\n", k, 500+k)
			}
			f.write(pipe, lines)
		}
	})
	t.Cleanup(func() {
		close(stop)
		_ = pipe.Close() // ends a write that waits for room
		feeding.Wait()
	})
	return f
}

func (f *feed) write(pipe *os.File, text string) {
	n, _ := pipe.WriteString(text) // fails when the test ends
	f.written.Add(int64(n))
}

// waitForLoading returns when far more has been read than is read ahead of the
// first page, so that loading has begun.
func (f *feed) waitForLoading(t *testing.T, p *program) {
	t.Helper()
	for f.written.Load() < 512<<10 {
		select {
		case <-p.ended:
			require.Fail(t, "the program has ended", p.stderr.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
