package docs_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// Reading is a row of weather.readings.
type Reading struct {
	Sensor  string    `cql:"sensor"`
	At      time.Time `cql:"at"`
	Celsius float64   `cql:"celsius"`
}

// perMinute is the highest temperature of each sensor and minute.
func perMinute(readings rxcql.Stream[Reading], opts ...operators.WindowOption) rxcql.Stream[operators.WindowResult[string, float64]] {
	timed := operators.EventTime(readings,
		func(r Reading) (time.Time, error) { return r.At, nil },
		operators.OutOfOrderness(10*time.Second), // a row may be so much older than the newest; behind a Tail at least its overlap
		operators.MaxAhead(5*time.Second),        // a clock that is further ahead is wrong
		operators.IdleAfter(time.Minute))         // where nothing comes, time goes on by the clock
	return operators.Window(timed, operators.Tumbling(time.Minute),
		func(r Reading) time.Time { return r.At },
		func(r Reading) string { return r.Sensor },
		func() float64 { return math.Inf(-1) },
		func(highest float64, r Reading) (float64, error) { return max(highest, r.Celsius), nil },
		append(opts, operators.WindowKeys(100_000))...) // states in memory at most
}

var noon = time.Date(2024, 11, 26, 12, 0, 0, 0, time.UTC)

// drawn are the seconds after noon of the rows that eventtime-watermark.svg shows.
var drawn = []int{20, 50, 35, 65, 58, 75, 45, 100}

func drawnReading(i int) Reading {
	return Reading{Sensor: "roof", At: noon.Add(time.Duration(drawn[i]) * time.Second), Celsius: float64(i + 1)}
}

// told is a result in few words.
func told(w operators.WindowResult[string, float64]) string {
	return fmt.Sprintf("%s %s: %d rows, up to %g", w.Start.Format("15:04"), w.Kind, w.Rows, w.Value)
}

// givenBehind runs the rows of the drawing, a page each, and returns which results came behind
// which row.
func givenBehind(t *testing.T, opts ...operators.WindowOption) (given map[int][]string, report rxcql.Report) {
	t.Helper()
	given, n := map[int][]string{}, 0
	rows := source.Pages(func(context.Context) ([]Reading, error) {
		if n == len(drawn) {
			n++
			return nil, io.EOF
		}
		n++
		return []Reading{drawnReading(n - 1)}, nil
	})
	report, err := perMinute(rows, opts...).ForEach(t.Context(), func(w operators.WindowResult[string, float64]) error {
		given[n] = append(given[n], told(w))
		return nil
	})
	require.NoError(t, err)
	return given, report
}

func TestTheDrawingOfTheWatermarkIsTrue(t *testing.T) {
	given, report := givenBehind(t)
	require.Equal(t, map[int][]string{
		6: {"12:00 Final: 4 rows, up to 5"},
		9: {"12:01 Final: 3 rows, up to 8"}, // at the end
	}, given)
	require.EqualValues(t, 1, report.LateRows, "row 7")
}

func TestTheDrawingOfLatenessIsTrue(t *testing.T) {
	given, report := givenBehind(t, operators.AllowedLateness(30*time.Second))
	require.Equal(t, map[int][]string{
		6: {"12:00 Final: 4 rows, up to 5"},
		7: {"12:00 Corrected: 5 rows, up to 7"},
		9: {"12:01 Final: 3 rows, up to 8"},
	}, given)
	require.Zero(t, report.LateRows)
}

// upserts keeps the last result of each window, as a table does, and fails when it is told to.
type upserts struct {
	mu      sync.Mutex
	results map[string]string
	calls   []string
	failAt  int // the call that fails, counted from 1
}

func (u *upserts) write(_ context.Context, w operators.WindowResult[string, float64]) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls = append(u.calls, told(w))
	if len(u.calls) == u.failAt {
		return io.ErrUnexpectedEOF
	}
	u.results[w.Start.Format("15:04")] = told(w)
	return nil
}

// The rows that are read again are left out of the window that is durable, and counted in the other
// one.
func TestTheDrawingOfACrashIsTrue(t *testing.T) {
	script := rxcqltest.NewScript[Reading]()
	for i := range drawn {
		script.Page(drawnReading(i))
	}
	file := filepath.Join(t.TempDir(), "minutes.checkpoint")
	run := func(u *upserts) (rxcql.Report, error) {
		return rxcql.Run(t.Context(), perMinute(script.Stream()), sink.Each(u.write, sink.Idempotent()),
			rxcql.WithCheckpoint(checkpoint.File(file), "minutes"))
	}
	first := &upserts{results: map[string]string{}, failAt: 2}
	_, err := run(first)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, []string{"12:00 Final: 4 rows, up to 5", "12:01 Final: 3 rows, up to 8"}, first.calls)

	second := &upserts{results: map[string]string{}}
	report, err := run(second)
	require.NoError(t, err)
	require.True(t, report.Resumed)
	require.Equal(t, []string{"12:01 Final: 3 rows, up to 8"}, second.calls, "the durable window is not given again")
	require.Zero(t, report.LateRows, "row 7 was late in the first run, and is settled")
}
