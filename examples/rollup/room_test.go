package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// working is a job on a server in the process of the test, in its bubble of time.
type working struct {
	*job
	worker  *worker
	server  *cqlfake.Server
	stopped <-chan struct{} // when the worker has ended
}

// worked calls fn with a job that runs, again and again if it must, and stops it afterwards.
func worked(t *testing.T, cfg config, fn func(t *testing.T, w working)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := withTables(t, "readings", "rollups")
		session := server.Session("rollup")
		require.NoError(t, deadletter.CreateTable(t.Context(), session, "rollup.unusable"))
		j := &job{
			cfg: cfg, session: session, keyspace: "rollup", hub: newHub(1), metrics: newMetrics(),
			checkpoints: checkpoint.File(filepath.Join(t.TempDir(), "rollup.checkpoint")),
		}
		w := newWorker("rollup", slog.New(slog.NewTextHandler(io.Discard, nil)), j.pipeline)
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			w.run(t.Context())
		}()
		fn(t, working{j, w, server, stopped})
		w.stop()
		<-stopped
	})
}

const insert = "INSERT INTO rollup.readings (bucket, arrived, device, at, value) VALUES (?, ?, ?, ?, 1)"

// put writes a reading of now into the table, as another writer may.
func (w working) put(t *testing.T, device string, at time.Time) {
	t.Helper()
	now := time.Now().UTC()
	require.NoError(t, w.session.Query(insert, now.Truncate(bucket), now, device, at).Exec())
}

// windows are the rollups that are in the table, by device and the time at which they begin.
func (w working) windows(t *testing.T) map[string]Rollup {
	t.Helper()
	rows, err := source.Table[Rollup](w.session, "rollup.rollups").Collect(context.Background())
	require.NoError(t, err)
	all := map[string]Rollup{}
	for _, row := range rows {
		all[row.Device+row.Since.UTC().Format(" 15:04:05")] = row
	}
	return all
}

// value is that of a metric, of all labels or of those with a value.
func (m *metrics) value(t *testing.T, name, label string) (sum float64) {
	t.Helper()
	families, err := m.registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			is := label == ""
			for _, pair := range metric.GetLabel() {
				is = is || pair.GetValue() == label
			}
			if is && family.GetName() == name {
				sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// failures is how many runs have ended.
func (w working) failures(t *testing.T) float64 {
	t.Helper()
	return w.metrics.value(t, "rxcql_runs_total", "")
}

// The run would end with ErrWindowFull, and so would each run after it, for the devices of all.
func TestReadingsOfMoreDevicesThanThereIsRoomForAreSkippedAndTheJobGoesOn(t *testing.T) {
	cfg := configured(t)
	cfg.limits.windows = spareWindows + 3*13
	worked(t, cfg, func(t *testing.T, w working) {
		begin := time.Now().Truncate(cfg.window)
		for n := range 4 { // a window each
			w.put(t, "steady", time.Now())
			time.Sleep(time.Millisecond)
			for i := range 100 {
				w.put(t, fmt.Sprintf("made up %d in %d", i, n), time.Now())
			}
			time.Sleep(time.Millisecond)
			w.put(t, "steady", time.Now())
			time.Sleep(2*cfg.window - 2*time.Millisecond) // which is more than --out-of-order
		}
		for range 3 {
			w.put(t, "steady", time.Now())
			time.Sleep(2 * cfg.window)
		}
		time.Sleep(time.Minute)
		require.NoError(t, w.worker.health())
		require.Zero(t, w.failures(t), "no run has ended")
		all := w.windows(t)
		for n := range 7 {
			row := all["steady"+begin.Add(time.Duration(2*n)*cfg.window).UTC().Format(" 15:04:05")]
			require.EqualValues(t, 1+btoi(n < 4), row.Readings, "window %d of a device that comes first", n)
		}
		require.Len(t, all, 7+4*12, "each window has places of its own")
		require.EqualValues(t, 4*(100-12), w.metrics.value(t, "rollup_skipped_readings_total", "windows"))
	})
}

// The rows of a page may have any times, so many windows may open before event time has moved.
func TestReadingsOfMoreWindowsThanThereIsRoomForAreSkippedAndTheJobGoesOn(t *testing.T) {
	cfg := configured(t)
	cfg.limits.windows = 30
	worked(t, cfg, func(t *testing.T, w working) {
		now, page := time.Now().UTC(), w.session.NewBatch(gocql.UnloggedBatch) // which a poll finds as a whole
		for n := range 100 {
			page.Query(insert, now.Truncate(bucket), now, "back again", now.Add(-time.Duration(n)*cfg.window))
		}
		require.NoError(t, w.session.ExecuteBatch(page))
		time.Sleep(time.Minute)
		w.put(t, "back again", time.Now())
		time.Sleep(time.Minute)
		require.NoError(t, w.worker.health())
		require.Zero(t, w.failures(t))
		require.Len(t, w.windows(t), 30+1)
		require.EqualValues(t, 70, w.metrics.value(t, "rollup_skipped_readings_total", "windows"))
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A device that floods the windows has them to itself only while nobody else wants room.
func TestADeviceThatFloodsTheWindowsTakesNoRoomFromOthers(t *testing.T) {
	cfg := configured(t)
	cfg.limits.counted = 200
	worked(t, cfg, func(t *testing.T, w working) {
		begin := time.Now().Truncate(cfg.window)
		for i := range 500 {
			w.put(t, "flood", begin.Add(time.Duration(i)*time.Millisecond))
		}
		time.Sleep(time.Second)
		for i := range 10 {
			for device := range 9 {
				w.put(t, fmt.Sprint("quiet ", device), begin.Add(time.Duration(i)*time.Millisecond))
			}
		}
		time.Sleep(4 * cfg.window)
		at := time.Now().Truncate(cfg.window)
		for i := range 150 {
			w.put(t, "flood", at.Add(time.Duration(i)*time.Millisecond))
		}
		time.Sleep(time.Minute)
		require.Zero(t, w.failures(t))
		all := w.windows(t)
		flood := all["flood"+begin.UTC().Format(" 15:04:05")]
		require.EqualValues(t, 200, flood.Readings)
		require.EqualValues(t, 300, flood.Skipped)
		for device := range 9 {
			quiet := all[fmt.Sprint("quiet ", device)+begin.UTC().Format(" 15:04:05")]
			require.EqualValues(t, 10, quiet.Readings)
			require.Zero(t, quiet.Skipped)
		}
		require.EqualValues(t, 300, w.metrics.value(t, "rollup_skipped_readings_total", "readings"))
		later := all["flood"+at.UTC().Format(" 15:04:05")]
		require.EqualValues(t, 150, later.Readings, "the room of windows that are over is free again")
	})
}

// The tail of the job remembers what has arrived within its overlap. With more than it has room for
// a run ends, and so would each one after it.
func TestMoreReadingsAtOnceThanTheTailRemembersMakeWindowsCloseLaterAndTheJobGoesOn(t *testing.T) {
	cfg := configured(t)
	cfg.limits.remembered = 50
	worked(t, cfg, func(t *testing.T, w working) {
		time.Sleep(time.Second)
		begin := time.Now().Truncate(cfg.window)
		for n := range 10 {
			for i := range 100 {
				w.put(t, fmt.Sprint("d", i), begin.Add(time.Duration(n)*time.Millisecond))
			}
			time.Sleep(200 * time.Millisecond)
		}
		time.Sleep(2 * time.Minute)
		require.NoError(t, w.worker.health())
		require.EqualValues(t, 1, w.failures(t), "one run has ended, and the next one goes on")
		all := w.windows(t)
		require.Len(t, all, 100)
		for name, row := range all {
			require.EqualValues(t, 10, row.Readings, name)
			require.Zero(t, row.Repeated, name)
		}
		require.Equal(t, cfg.overlap().Seconds(), w.metrics.value(t, "rollup_delay_seconds", ""))
	})
}

// So Window never comes to its bound of bytes.
func TestTheWindowsThatThereIsRoomForFitTheirBytes(t *testing.T) {
	size := rxcql.SizeFunc[stats]()
	state := operators.WindowResult[string, stats]{Key: strings.Repeat("d", mostDevice), Value: newStats()}
	key := rxcql.SizeFunc[string]()
	const place = 150 // in a map, with what Window has of a state besides
	empty := size(&state.Value) + key(&state.Key) + place
	most := 0.0
	for n := 7; n < 1<<20; n *= 2 { // the map has just grown
		for i := len(state.Value.seen); i < n; i++ {
			state.Value.seen[int64(i)] = struct{}{}
		}
		if n > 10_000 {
			most = max(most, float64(size(&state.Value))/float64(n))
		}
	}
	require.Less(t, most, 21.0, "bytes a reading")
	require.Less(t, float64(empty+100)*mostWindows+math.Ceil(most)*2*mostReadings, float64(mostState))
	require.Less(t, mostState+mostRemembered*128, budget/8*7, "what is left is for pages")
}

// With what the flags allow for, no device that is let in finds the windows full.
func TestThereIsRoomForTheWindowsOfAllDevicesThatMaySend(t *testing.T) {
	for _, args := range [][]string{nil, {"--window", "1s", "--out-of-order", "30s"}, {"--devices", "26666"}, {"--window", "1h"}} {
		cfg := configured(t, args...)
		require.Positive(t, cfg.devices)
		open := int(cfg.outOfOrder/cfg.window) + 3
		require.LessOrEqual(t, cfg.devices*open+spareWindows, cfg.limits.windows, args)
	}
	for words, args := range map[string][]string{
		"--devices 26667: give 1 to 26666": {"--devices", "26667"},
		"--devices -1: give 1 to 26666":    {"--devices", "-1"},
		"longer --window":                  {"--out-of-order", "24h", "--window", "1s"},
	} {
		_, err := parseFlags(args, nil)
		require.ErrorContains(t, err, words)
	}
}
