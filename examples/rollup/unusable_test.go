package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// No POST brings these, but another writer may. Each of them would end the run, and the next one.
func TestReadingsThatNoPostCanHaveBroughtAreSkippedAndTheJobGoesOn(t *testing.T) {
	cfg := configured(t)
	worked(t, cfg, func(t *testing.T, w working) {
		now := time.Now().UTC()
		for _, r := range []Reading{
			{Device: "no number", At: now, Value: math.NaN()},
			{Device: "infinite", At: now, Value: math.Inf(-1)},
			{Device: "too large", At: now, Value: math.MaxFloat64},
			{Device: "no number of the future", At: now.Add(time.Hour), Value: math.NaN()},
			{Device: strings.Repeat("d", 60_000), At: now, Value: 1},
			{Device: "of the stone age", At: time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC), Value: 1},
			{Device: "of a far future", At: time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC), Value: 1},
			{Device: "well", At: now, Value: 1},
		} {
			require.NoError(t, w.session.Query("INSERT INTO rollup.readings (bucket, arrived, device, at, value) VALUES (?, ?, ?, ?, ?)",
				now.Truncate(bucket), now, r.Device, r.At, r.Value).Exec())
		}
		require.NoError(t, w.session.Query("INSERT INTO rollup.readings (bucket, arrived, device, at) VALUES (?, ?, ?, ?)",
			now.Truncate(bucket), now, "no value", now).Exec())
		time.Sleep(time.Minute)
		require.NoError(t, w.worker.health())
		require.Zero(t, w.failures(t), "no run has ended")
		all := w.windows(t)
		require.Len(t, all, 1)
		require.EqualValues(t, 1, all["well"+now.Truncate(cfg.window).Format(" 15:04:05")].Readings)
		require.EqualValues(t, 8, w.metrics.value(t, "rollup_skipped_readings_total", "unusable"))
	})
}
