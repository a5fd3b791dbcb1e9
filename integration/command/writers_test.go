package command_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// firstVersion is b of a row that was written once after fill. Each write adds one.
const firstVersion = 1_000_000

// writers change rows of a table that fill made, and add rows, until they are stopped.
type writers struct {
	stop    chan struct{}
	over    sync.WaitGroup
	written atomic.Int64 // in all

	mu          sync.Mutex
	begun, done map[string]int64 // how often a row was written, by its key
}

// startWriters starts a few writers, each in partitions of its own, so that the writes of a row are
// in order.
func startWriters(t *testing.T, session *gocql.Session, table string, partitions int) *writers {
	t.Helper()
	w := &writers{stop: make(chan struct{}), begun: map[string]int64{}, done: map[string]int64{}}
	const count = 4
	at := time.Now().UnixMicro()
	for i := range count {
		w.over.Go(func() {
			for n := int64(1); ; n++ {
				select {
				case <-w.stop:
					return
				default:
				}
				p, c := (i+count*rand.IntN(partitions/count))*100, rand.IntN(105) // the last five are new
				version := firstVersion - 1 + w.next(key(p, c))
				err := session.Query("INSERT INTO "+table+" (p, c, a, b) VALUES (?, ?, ?, ?) USING TIMESTAMP ?",
					int64(p), c, fmt.Sprint("version ", version), version, at+n).Exec()
				if err != nil {
					t.Errorf("a write: %v", err)
					return
				}
				w.mu.Lock()
				w.done[key(p, c)]++
				w.mu.Unlock()
				w.written.Add(1)
			}
		})
	}
	return w
}

func (w *writers) next(key string) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun[key]++
	return w.begun[key]
}

// now is how often each row was written so far: with those writes whose end is not known, or
// without.
func (w *writers) now(begun bool) map[string]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.done
	if begun {
		of = w.begun
	}
	all := make(map[string]int64, len(of))
	for key, n := range of {
		all[key] = n
	}
	return all
}

// more waits until so many rows have been written from now on.
func (w *writers) more(t *testing.T, n int64) {
	t.Helper()
	n += w.written.Load()
	require.Eventually(t, func() bool { return w.written.Load() >= n || t.Failed() }, testWait, 5*time.Millisecond)
}

// versions reads how often the rows of a table had been written: 0 for a row of fill. A row whose
// columns are of two writes is an error.
func versions(t *testing.T, session *gocql.Session, table string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	iter := session.Query("SELECT p, c, a, b FROM " + table).Iter()
	var p, c int
	var a string
	var b int64
	for iter.Scan(&p, &c, &a, &b) {
		all[key(p, c)] = max(0, b-firstVersion+1)
		if b >= firstVersion {
			require.Equal(t, fmt.Sprint("version ", b), a, "a row of two writes")
		}
	}
	require.NoError(t, iter.Close())
	return all
}

func TestTransferACopyUnderWritesDiffersOnlyInWhatChangedAfterItWasRead(t *testing.T) {
	const n = 6000
	session, ks := cassandra.Keyspace(t, cluster)
	table, to, folder := ks+".t", ks+".copy", t.TempDir()
	fill(t, session, table, n)
	filled := versions(t, session, table)
	w := startWriters(t, session, table, n/100)
	stop := sync.OnceFunc(func() { close(w.stop); w.over.Wait() })
	defer stop()
	w.more(t, 200)
	copying := []string{"copy", table, "--to", to, "--create", "--times", "--rate", "4k", "--progress", "none"}
	before := w.now(false)
	code, _, stderr := run(t, copying...)
	after := w.now(true)
	require.Zero(t, code, stderr)
	copied := versions(t, session, to)
	w.more(t, 200)
	stop()

	// Each row arrived as it was at some moment of the copy.
	for at := range versions(t, session, table) {
		version, there := copied[at]
		if !there {
			require.NotContains(t, filled, at, "it is missing, and was there all the time")
			require.Zero(t, before[at], "%s is missing, and was there before the copy began", at)
		}
		require.GreaterOrEqual(t, version, before[at], "%s is older than the copy", at)
		require.LessOrEqual(t, version, after[at], at)
	}
	source, target := timed(t, session, table), timed(t, session, to)
	want := map[string]transfer.Cause{}
	for at, row := range source {
		got, there := target[at]
		switch {
		case got == row:
			continue
		case there:
			want[at] = transfer.Differing
		default:
			want[at] = transfer.Missing
		}
		require.Greater(t, w.done[at], before[at], "%s differs, and was not written after the copy began", at)
	}
	require.NotEmpty(t, want)
	diff := func(out string) (int, string) {
		code, _, stderr := run(t, "diff", table, "--to", to, "--times", "--pause", "0", "--out", out, "--progress", "none")
		return code, stderr
	}
	first := filepath.Join(folder, "first")
	code, stderr = diff(first)
	require.Equal(t, 3, code, stderr)
	require.Equal(t, want, differing(t, first, table))

	code, _, stderr = run(t, copying...)
	require.Zero(t, code, stderr)
	require.Equal(t, source, timed(t, session, to), "the second pass converges")
	second := filepath.Join(folder, "second")
	code, stderr = diff(second)
	require.Zero(t, code, stderr)
	require.Empty(t, differing(t, second, table))
}
