package docs_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

const shards = 4

// arrive writes a reading that has just arrived. Only when it returns nil is the reading promised.
func arrive(ctx context.Context, session *gocql.Session, r Reading) error {
	arrived := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second) // all attempts together; well below the overlap
	defer cancel()
	return session.Query("INSERT INTO "+weather+".arrivals (day, shard, arrived, sensor, at, celsius) VALUES (?, ?, ?, ?, ?, ?)",
		arrived.UTC().Truncate(24*time.Hour), rand.IntN(shards), arrived, r.Sensor, r.At, r.Celsius).
		WithContext(ctx).Consistency(gocql.LocalQuorum).Exec()
}

// arriving is the stream of what has arrived since from, and of what arrives from then on.
func arriving(session *gocql.Session, from time.Time) rxcql.Stream[Reading] {
	return source.Tail[Reading](session, weather+".arrivals", source.Buckets{
		Columns: []string{"day"}, Size: 24 * time.Hour,
		Shard: "shard", Shards: shards,
		Arrived: "arrived",
	}, source.TailFrom(from), source.Overlap(time.Minute), source.Consistency(gocql.LocalQuorum))
}

// keep copies what arrives to the table by sensor, for ever.
func keep(ctx context.Context, session *gocql.Session, from time.Time, file string) error {
	_, err := rxcql.Run(ctx, arriving(session, from), sink.Table[Reading](session, weather+".readings"),
		rxcql.WithCheckpoint(checkpoint.File(file), "keep"))
	return err
}

type Maximum struct {
	Sensor  string    `cql:"sensor"`
	Start   time.Time `cql:"start"`
	Celsius float64   `cql:"celsius"`
	Count   int64     `cql:"count"`
}

func happened(r Reading) time.Time { return r.At }

func sensorOf(r Reading) string { return r.Sensor }

func coldest() float64 { return math.Inf(-1) }

func warmer(most float64, r Reading) (float64, error) { return max(most, r.Celsius), nil }

func maximum(w operators.WindowResult[string, float64]) (Maximum, error) {
	return Maximum{Sensor: w.Key, Start: w.Start, Celsius: w.Value, Count: w.Rows}, nil
}

// rollUpPast writes the maximum of each sensor and minute of all that is in the table by sensor.
func rollUpPast(ctx context.Context, session *gocql.Session) error {
	minutes := operators.WindowAdjacent(source.Table[Reading](session, weather+".readings"),
		operators.Tumbling(time.Minute), happened, sensorOf, coldest, warmer)
	_, err := rxcql.Run(ctx, operators.Map(minutes, maximum), sink.Table[Maximum](session, weather+".maxima"))
	return err
}

// rollUp writes the maximum of each sensor and minute of what arrives, for ever.
func rollUp(ctx context.Context, session *gocql.Session, from time.Time, file string) (rxcql.Report, error) {
	timed := operators.EventTime(arriving(session, from), func(r Reading) (time.Time, error) { return r.At, nil },
		operators.OutOfOrderness(2*time.Minute), operators.MaxAhead(time.Minute), operators.IdleAfter(time.Minute))
	minutes := operators.Window(timed, operators.Tumbling(time.Minute), happened, sensorOf, coldest, warmer,
		operators.WindowKeys(100_000), operators.AllowedLateness(10*time.Minute))
	return rxcql.Run(ctx, operators.Map(minutes, maximum), sink.Table[Maximum](session, weather+".maxima"),
		rxcql.WithCheckpoint(checkpoint.File(file), "roll up"),
		rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON("ahead.ndjson"))))
}

const (
	arrivalsTable = `CREATE TABLE arrivals (day date, shard int, arrived timestamp, sensor text, at timestamp, celsius double,
		PRIMARY KEY ((day, shard), arrived, sensor, at))`
	maximaTable = "CREATE TABLE maxima (sensor text, start timestamp, celsius double, count bigint, PRIMARY KEY (sensor, start))"
)

func TestWhatArrivesIsTailed(t *testing.T) {
	session := newKeyspace(t, readingsTable, arrivalsTable)
	begin := time.Now()
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- keep(ctx, session, begin, filepath.Join(t.TempDir(), "keep.checkpoint")) }()
	for i := range 20 {
		require.NoError(t, arrive(t.Context(), session, Reading{Sensor: fmt.Sprint("s", i), At: begin.Add(-time.Duration(i) * time.Hour), Celsius: float64(i)}))
	}
	require.Eventually(t, func() bool {
		var n int
		require.NoError(t, session.Query("SELECT count(*) FROM "+weather+".readings").Scan(&n))
		return n == 20
	}, 5*time.Minute, 50*time.Millisecond)
	cancel(errTimeseries)
	require.ErrorIs(t, <-done, errTimeseries)
}

var errTimeseries = errors.New("that is all")

func TestThePastIsRolledUp(t *testing.T) {
	session := newKeyspace(t, readingsTable, maximaTable)
	for _, sensor := range []string{"cellar", "roof"} {
		for i := range 30 {
			require.NoError(t, session.Query("INSERT INTO "+weather+".readings (sensor, at, celsius) VALUES (?, ?, ?)",
				sensor, time.UnixMilli(int64(i)*20_000), float64(i)).Exec())
		}
	}
	require.NoError(t, rollUpPast(t.Context(), session))
	for _, sensor := range []string{"cellar", "roof"} {
		maxima := column[float64](t, session, "SELECT celsius FROM "+weather+".maxima WHERE sensor = '"+sensor+"'")
		require.Equal(t, []float64{2, 5, 8, 11, 14, 17, 20, 23, 26, 29}, maxima)
	}
	require.Equal(t, []int64{60}, column[int64](t, session, "SELECT sum(count) FROM "+weather+".maxima"))
}

// The job is broken off in the middle of windows, and goes on.
func TestWhatArrivesIsRolledUp(t *testing.T) {
	session := newKeyspace(t, arrivalsTable, maximaTable)
	begin := time.Now()
	first := begin.Add(-3 * time.Hour).Truncate(time.Minute)
	file, said := filepath.Join(t.TempDir(), "rollup.checkpoint"), 0
	say := func(readings int) { // two a minute
		for range readings {
			at := first.Add(time.Duration(said) * 30 * time.Second)
			require.NoError(t, arrive(t.Context(), session, Reading{Sensor: "roof", At: at, Celsius: float64(said)}))
			said++
		}
	}
	for _, readings := range []int{61, 40} {
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := rollUp(ctx, session, begin, file)
			done <- err
		}()
		say(readings)
		want := (said - 4) / 2 // the watermark is two minutes behind the last one
		var maxima []float64
		require.Eventually(t, func() bool {
			maxima = column[float64](t, session, "SELECT celsius FROM "+weather+".maxima WHERE sensor = 'roof'")
			return len(maxima) >= want
		}, 5*time.Minute, 50*time.Millisecond)
		cancel(errTimeseries)
		require.ErrorIs(t, <-done, errTimeseries)
		for minute, celsius := range maxima {
			require.InDelta(t, 2*minute+1, celsius, 0)
		}
		for _, count := range column[int64](t, session, "SELECT count FROM "+weather+".maxima WHERE sensor = 'roof'") {
			require.EqualValues(t, 2, count)
		}
	}
}
