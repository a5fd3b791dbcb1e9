package rxcql_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
)

// Each save says what windows hold. Before they hold as much as they may there is one warning, and
// another one only after that has passed.
func TestTheLogSaysWhatWindowsHoldAndWarnsOnceBeforeTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newWindowJob(10, 10, readings(0, slices.Concat(slices.Repeat([]int{3}, 90), slices.Repeat([]int{15}, 90), []int{25})...))
		j.parts.PageRows, j.pause = 1, 4*time.Millisecond
		j.opts = []rxcql.CheckpointOption{rxcql.CheckpointHeldPages(100)}
		got := logged(t, func(log rxcql.Option) {
			j.more = []rxcql.Option{log}
			j.completes(t)
		})
		var held []float64
		for _, save := range got.of("checkpoint saved") {
			require.Contains(t, save, "bytes_held")
			held = append(held, save["pages_held"].(float64))
		}
		require.Greater(t, slices.Max(held), 75.0)
		require.Zero(t, held[len(held)-1])

		warnings := got.of("windows hold almost as much as they may")
		require.Len(t, warnings, 2, "once for each of the two windows")
		for i, durable := range []string{"1970-01-01T00:00:03Z", "1970-01-01T00:00:15Z"} {
			w := warnings[i]
			require.Equal(t, "WARN", w["level"])
			require.Equal(t, "job", w["job"])
			require.Equal(t, "Windowed", w["stage"])
			require.Equal(t, durable, w["durable_up_to"])
			require.GreaterOrEqual(t, w["pages_held"], 75.0)
			require.Equal(t, 100.0, w["pages_most"])
		}
	})
}

type panicsAtWarnings struct{ slog.Handler }

func (h panicsAtWarnings) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelWarn {
		panic("no warnings here")
	}
	return nil
}

func TestALoggerThatPanicsAtThatWarningEndsTheRunWithAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newWindowJob(10, 10, readings(0, slices.Repeat([]int{3}, 90)...))
		j.parts.PageRows, j.pause = 1, 4*time.Millisecond
		j.opts = []rxcql.CheckpointOption{rxcql.CheckpointHeldPages(100)}
		j.more = []rxcql.Option{rxcql.WithLogger(slog.New(panicsAtWarnings{slog.Default().Handler()}))}
		_, err := j.run(context.Background())
		require.ErrorIs(t, err, rxcql.ErrPanic)
		require.ErrorContains(t, err, "WithLogger")
	})
}

func TestTheLogWarnsBeforeTheBoundOfSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := longSession()
		j.pause = 20 * time.Millisecond
		j.opts = []rxcql.CheckpointOption{rxcql.CheckpointSessions(2)}
		got := logged(t, func(log rxcql.Option) {
			j.more = []rxcql.Option{log}
			j.completes(t)
		})
		warnings := got.of("windows hold almost as much as they may")
		require.NotEmpty(t, warnings)
		require.Equal(t, 2.0, warnings[0]["sessions"])
		require.Equal(t, 2.0, warnings[0]["sessions_most"])
	})
}
