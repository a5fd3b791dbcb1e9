package rollup_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// watch asks for events, and returns the data of each; "" at the end.
func (s *service) watch(t *testing.T) (next func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/events", nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { answer.Body.Close() })
	require.Equal(t, http.StatusOK, answer.StatusCode)
	lines := bufio.NewScanner(answer.Body)
	return func() string {
		for lines.Scan() {
			if data, found := strings.CutPrefix(lines.Text(), "data: "); found && data != "{}" { // which tells of the stream
				return data
			}
		}
		return ""
	}
}

func TestRollupAClosedWindowIsInTheTableBeforeItIsPushed(t *testing.T) {
	t.Parallel()
	_, keyspace := cassandra.Keyspace(t, cluster)
	s := start(t, build(t), keyspace, "--window", "1s", "--out-of-order", "1s", "--write-deadline", "1m")
	next := s.watch(t)
	begin := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
	var one strings.Builder
	for i := range 4 {
		one.WriteString(reading("a", begin.Add(time.Duration(i)*100*time.Millisecond), float64(i)))
	}
	one.WriteString(reading("b", begin.Add(500*time.Millisecond), -1))
	s.accepted(t, one.String())
	s.accepted(t, one.String()) // its client has not heard that it was written
	s.accepted(t, reading("a", begin.Add(10*time.Second), 7))

	var got rolled
	seen := map[string]bool{}
	for len(seen) < 2 {
		data := next()
		require.NotEmpty(t, data)
		_, table := s.get(t, "/rollups")
		require.Contains(t, table, data+"\n", "a window was pushed that is not in the table")
		require.NoError(t, json.Unmarshal([]byte(data), &got))
		require.Equal(t, begin, got.Since)
		require.Equal(t, begin.Add(time.Second), got.Until)
		seen[got.Device] = true
		if got.Device == "a" {
			require.Equal(t, []float64{4, 4, 1.5, 0, 3}, []float64{float64(got.Readings), float64(got.Repeated), got.Mean, got.Min, got.Max})
		}
	}
}

// The newest reading is at the border, so only the clock can close its window.
func TestRollupTheLastWindowOfAQuietStreamCloses(t *testing.T) {
	t.Parallel()
	_, keyspace := cassandra.Keyspace(t, cluster)
	s := start(t, build(t), keyspace, "--window", "1s", "--idle-after", "200ms")
	next := s.watch(t)
	s.accepted(t, reading("quiet", time.Now(), 1))
	require.Contains(t, next(), `"quiet"`)
}

func TestRollupASecondInstanceTakesReadingsAndGoesOnWhenTheFirstIsKilled(t *testing.T) {
	t.Parallel()
	_, keyspace := cassandra.Keyspace(t, cluster)
	program := build(t)
	args := []string{"--window", "1s", "--out-of-order", "1s", "--write-deadline", "1m", "--lease", "3s"}
	first := start(t, program, keyspace, args...)
	first.until(t, "it has the job", func() bool {
		_, text := first.get(t, "/health")
		return strings.Contains(text, `"rollup":"runs"`)
	})
	second := start(t, program, keyspace, args...)
	next := second.watch(t)
	begin := time.Now().Add(-4 * time.Minute) // a watcher gets those of the last ten minutes
	second.accepted(t, reading("a", begin, 1)+reading("a", begin.Add(time.Minute), 2))
	closed := func(s *service) int {
		_, rollups := s.get(t, "/rollups")
		return strings.Count(rollups, "\n")
	}
	first.until(t, "it closes a window of readings that the second took", func() bool { return closed(first) == 1 })
	second.until(t, "it says that it has not the job", func() bool {
		status, text := second.get(t, "/health")
		return status == http.StatusOK && strings.Contains(text, "another instance has the job")
	})
	require.Zero(t, second.metric(t, "rxcql_rows_written_total{stage=\"Table "+keyspace+".rollups\"}"), "two instances do the job")

	require.NoError(t, first.cmd.Process.Kill())
	<-first.ended
	second.accepted(t, reading("a", begin.Add(2*time.Minute), 3))
	second.until(t, "it goes on with the job", func() bool { return closed(second) == 2 })
	var data, before string
	for !strings.Contains(data, `"mean":2,`) { // of the window that the first had begun
		before += data
		if data = next(); data == "" { // a browser connects again
			next = second.watch(t)
		}
	}
	require.Contains(t, before, `"mean":1,`, "who watched the second has missed a window that the first has made")
}

// Readings that a service would refuse may come into its table all the same: from another writer,
// or from an instance whose clock was wrong.
func TestRollupAReadingOfTheFutureInTheTableIsSetAsideAndMakesNoOtherLate(t *testing.T) {
	t.Parallel()
	session, keyspace := cassandra.Keyspace(t, cluster)
	s := start(t, build(t), keyspace, "--window", "1s", "--out-of-order", "1s", "--write-deadline", "1m")
	now := time.Now().UTC()
	require.NoError(t, session.Query("INSERT INTO "+keyspace+".readings (bucket, arrived, device, at, value) VALUES (?, ?, ?, ?, ?)",
		now.Truncate(5*time.Minute), now, "ahead", now.AddDate(4, 0, 0), 1.0).Exec())
	s.until(t, "it is set aside", func() bool {
		var n int
		require.NoError(t, session.Query("SELECT count(*) FROM "+keyspace+".unusable").Scan(&n))
		return n == 1
	})
	s.accepted(t, reading("right", now.Add(-time.Minute), 1)+reading("right", now, 2))
	s.until(t, "windows close", func() bool {
		_, rollups := s.get(t, "/rollups")
		return strings.Contains(rollups, `"right"`)
	})
	require.Zero(t, s.metric(t, "rollup_late_readings_total"))
}
