package docs_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
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
	timed := operators.EventTime(arriving(session, from), func(r Reading) (time.Time, error) { return r.At, nil },
		operators.OutOfOrderness(time.Minute), operators.MaxAhead(time.Minute), operators.IdleAfter(time.Minute))
	_, err := rxcql.Run(ctx, timed, sink.Table[Reading](session, weather+".readings"),
		rxcql.WithCheckpoint(checkpoint.File(file), "keep"))
	return err
}

func TestWhatArrivesIsTailed(t *testing.T) {
	session := newKeyspace(t, readingsTable,
		`CREATE TABLE arrivals (day date, shard int, arrived timestamp, sensor text, at timestamp, celsius double,
			PRIMARY KEY ((day, shard), arrived, sensor, at))`)
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
