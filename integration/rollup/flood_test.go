package rollup_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestRollupMoreDevicesThanTheLimitAreRefusedAlsoAfterARestart(t *testing.T) {
	t.Parallel()
	session, keyspace := cassandra.Keyspace(t, cluster)
	program := build(t)
	args := []string{"--devices", "3", "--write-deadline", "1m", "--lease", "3s"}
	s := start(t, program, keyspace, args...)
	known := func() string {
		return reading("a", time.Now(), 1) + reading("b", time.Now(), 1) + reading("c", time.Now(), 1)
	}
	refused := func() {
		t.Helper()
		status, text, err := s.post(reading("a", time.Now(), 1) + reading("made up", time.Now(), 1))
		require.NoError(t, err)
		require.Equal(t, http.StatusTooManyRequests, status, text)
		require.Contains(t, text, `"devices":["made up"]`)
		require.Contains(t, text, "--devices")
	}
	s.accepted(t, known())
	refused()
	require.EqualValues(t, 3, s.metric(t, "rollup_devices"))
	require.EqualValues(t, 1, s.metric(t, `rollup_refused_posts_total{reason="devices"}`))
	require.NoError(t, s.cmd.Process.Kill())
	<-s.ended
	s = start(t, program, keyspace, args...)
	refused()
	s.accepted(t, known())
	var rows int
	require.NoError(t, session.Query("SELECT count(*) FROM "+keyspace+".readings WHERE device = 'made up' ALLOW FILTERING").Scan(&rows))
	require.Zero(t, rows)
}

// raw is a row of the table of readings, as another writer may write it.
type raw struct {
	Bucket  time.Time `cql:"bucket"`
	Arrived time.Time `cql:"arrived"`
	Device  string    `cql:"device"`
	At      time.Time `cql:"at"`
	Value   float64   `cql:"value"`
}

// The service would refuse them; they are there all the same, and were written while it was down.
// Without room each run of the job would end where they are, for all devices.
func TestRollupAFloodOfDevicesInTheTableStopsTheWindowsOfNobodyElse(t *testing.T) {
	t.Parallel()
	session, keyspace := cassandra.Keyspace(t, cluster)
	program := build(t)
	args := []string{"--window", "1s", "--out-of-order", "1s", "--write-deadline", "1m", "--lease", "3s"}
	s := start(t, program, keyspace, args...)
	const flood = 110_000
	begin := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
	s.accepted(t, reading("steady", begin, 1)) // it comes first
	require.NoError(t, s.cmd.Process.Kill())
	<-s.ended
	now := time.Now().UTC()
	rows := source.Seq(func(yield func(raw, error) bool) {
		for i := range flood {
			if !yield(raw{now.Truncate(5 * time.Minute), now, fmt.Sprint("made up ", i), begin, 1}, nil) {
				return
			}
		}
	})
	_, err := rxcql.Run(t.Context(), rows, sink.Table[raw](session, keyspace+".readings"))
	require.NoError(t, err)
	s = start(t, program, keyspace, args...)
	for n := range 3 {
		s.accepted(t, reading("steady", begin.Add(time.Duration(n+1)*10*time.Second), float64(n+2)))
	}
	var steady []string
	s.until(t, "the windows of the other device are closed", func() bool {
		steady = nil
		_, text := s.get(t, "/rollups")
		for line := range strings.Lines(text) {
			var r rolled
			require.NoError(t, json.Unmarshal([]byte(line), &r))
			if r.Device == "steady" {
				steady = append(steady, line)
			}
		}
		return len(steady) == 3
	})
	require.Zero(t, s.metric(t, `rxcql_runs_total{error_type="",job="rollup"}`))
	require.NotContains(t, s.log.String(), "a pipeline has failed")
	s.until(t, "readings that there was no room for are counted", func() bool {
		return s.metric(t, `rollup_skipped_readings_total{reason="windows"}`) > 0
	})
}
