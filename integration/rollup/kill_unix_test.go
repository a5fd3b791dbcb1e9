//go:build unix

package rollup_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var kills = flag.Int("rollup.kills", 6, "how often the service is killed or stopped")

const (
	devices = 20
	posters = 4
	step    = 100 * time.Millisecond // of event time from one batch to the next
)

// load posts batches of readings, one of each device, batch after batch. A batch that is not
// acknowledged is posted again, as it was, to whichever service there is then.
type load struct {
	begin time.Time // event time of batch 0
	url   atomic.Pointer[string]

	next     atomic.Int64          // batch to be posted
	at       [posters]atomic.Int64 // batch of each poster
	repeated atomic.Int64          // readings that were posted again
	done     chan struct{}
	posting  sync.WaitGroup
}

func (l *load) batch(n int64) string {
	var b strings.Builder
	at := l.begin.Add(time.Duration(n) * step)
	for d := range devices {
		b.WriteString(reading(string(rune('a'+d)), at, float64(n)))
	}
	return b.String()
}

// start starts the posters. They stay close together, so that no reading is late.
func (l *load) start() {
	l.done = make(chan struct{})
	for i := range posters {
		l.posting.Go(func() {
			defer l.at[i].Store(math.MaxInt64)
			for {
				select {
				case <-l.done:
					return
				default:
				}
				n := l.next.Add(1) - 1
				l.at[i].Store(n)
				for n >= l.slowest()+3*posters {
					time.Sleep(time.Millisecond) // to look again
				}
				for body := l.batch(n); !l.post(body); {
					l.repeated.Add(devices)
				}
			}
		})
	}
}

// slowest is the first batch that is being posted.
func (l *load) slowest() int64 {
	first := int64(math.MaxInt64)
	for i := range l.at {
		first = min(first, l.at[i].Load())
	}
	return first
}

func (l *load) post(body string) bool {
	status, _, err := (&service{url: *l.url.Load()}).post(body)
	if err != nil || status != http.StatusOK {
		time.Sleep(20 * time.Millisecond) // the service may be away
	}
	return err == nil && status == http.StatusOK
}

// stop returns when all batches that were begun are acknowledged.
func (l *load) stop() (batches int64) {
	close(l.done)
	l.posting.Wait()
	return l.next.Load()
}

func (s *service) rollups(t *testing.T, from time.Time) (all []rolled) {
	t.Helper()
	status, body := s.get(t, "/rollups?from="+from.UTC().Format(time.RFC3339)+"&until="+from.Add(24*time.Hour).UTC().Format(time.RFC3339))
	require.Equal(t, http.StatusOK, status)
	for lines := bufio.NewScanner(strings.NewReader(body)); lines.Scan(); {
		var r rolled
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		all = append(all, r)
	}
	return all
}

func TestRollupKilledAndStoppedUnderLoadLosesNothingThatItAcknowledgedAndCountsNothingTwice(t *testing.T) {
	t.Parallel()
	_, keyspace := cassandra.Keyspace(t, cluster)
	program := build(t)
	args := []string{
		"--window", "1s", "--out-of-order", "2s", "--idle-after", "24h", "--max-ahead", "24h", "--write-deadline", "20s", "--lease", "3s",
	}
	l := &load{begin: time.Now().UTC().Add(-time.Hour).Truncate(time.Second)}
	s := start(t, program, keyspace, args...)
	l.url.Store(&s.url)
	l.start()
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0)) //nolint:gosec // which moments are met is no secret
	closed := func() float64 { return s.metric(t, "rxcql_rows_written_total{stage=\"Table "+keyspace+".rollups\"}") }
	for n := range *kills {
		// In the middle of windows: some have been written by this process, and others have begun.
		s.until(t, "windows are closed", func() bool { return closed() > devices })
		time.Sleep(time.Duration(random.Int64N(int64(700 * time.Millisecond))))
		signal := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM}[n%2]
		require.NoError(t, s.cmd.Process.Signal(signal))
		<-s.ended
		if signal == syscall.SIGTERM {
			require.Zero(t, s.cmd.ProcessState.ExitCode(), "after SIGTERM: %s", s.log)
		}
		s = start(t, program, keyspace, args...)
		l.url.Store(&s.url)
	}
	batches := l.stop()
	// One reading that is so much newer closes the windows of all that came before it.
	s.accepted(t, reading("last", l.begin.Add(time.Duration(batches)*step+time.Hour), 0))

	perWindow := int64(time.Second / step)
	windows := (batches + perWindow - 1) / perWindow
	var got []rolled
	s.until(t, "all windows are closed", func() bool {
		got = s.rollups(t, l.begin.Add(-time.Hour))
		return int64(len(got)) >= windows*devices
	})
	require.Len(t, got, int(windows*devices))
	var repeated, counted int64
	for _, r := range got {
		first := int64(r.Since.Sub(l.begin) / step) // batch of the window
		last := min(first+perWindow, batches) - 1
		require.Equal(t, last-first+1, r.Readings, "window of %s that ends at %v", r.Device, r.Until)
		require.Equal(t, []float64{float64(first), float64(last)}, []float64{r.Min, r.Max})
		require.InDelta(t, float64(first+last)/2, r.Mean, 1e-6)
		counted += r.Readings
		repeated += r.Repeated
	}
	require.Equal(t, batches*devices, counted)
	require.LessOrEqual(t, repeated, l.repeated.Load(), "a reading was counted again that was posted once")
	t.Logf("%d times killed or stopped; %d readings in %d windows; %d were posted again, of which %d were there twice",
		*kills, counted, len(got), l.repeated.Load(), repeated)
}
