package rxcql_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
)

func TestARunLogsHowFarItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
				return slog.Attr{}
			}
			return a
		}}))
		p := pipeline(t, measured(40, evenly(40)...), &memory[int]{}, rxcql.WithLogger(logger), rxcql.LogProgress(15300*time.Millisecond))
		_, err := p.Run(t.Context())
		require.NoError(t, err)
		var lines []string
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, "progress") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		require.Equal(t, []string{
			"msg=progress percent=37.5 left=25s rows_read=15 rows_written=15 rows_resumed=0 bytes_in_flight=0 duration=15.3s",
			"msg=progress percent=75 left=9s rows_read=30 rows_written=30 rows_resumed=0 bytes_in_flight=0 duration=30.6s",
		}, lines)
	})
}

func TestLogProgressNeedsALogger(t *testing.T) {
	_, err := rxcql.New(seq(1), &memory[int]{}, rxcql.LogProgress(time.Second))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "LogProgress: there is no logger; give WithLogger")
	_, err = rxcql.New(seq(1), &memory[int]{}, rxcql.LogProgress(0), rxcql.WithLogger(slog.Default()))
	require.ErrorContains(t, err, "LogProgress(0s): must be above 0")
}

type panicsAt struct{ slog.Handler }

func (h panicsAt) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "progress" {
		panic("handler")
	}
	return nil
}

func TestAPanicInTheLoggerOfProgressEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger := slog.New(panicsAt{slog.Default().Handler()})
		_, err := pipeline(t, measured(40, evenly(40)...), &memory[int]{}, rxcql.WithLogger(logger), rxcql.LogProgress(time.Second)).Run(t.Context())
		require.ErrorIs(t, err, rxcql.ErrPanic)
		require.ErrorContains(t, err, "stage LogProgress")
	})
}
