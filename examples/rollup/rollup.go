package main

import (
	"math"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

const (
	// pollEvery is how often the tail looks for new readings.
	pollEvery = 250 * time.Millisecond
	// mostWindows is how many windows may be open at once, and mostState the bytes of their states.
	mostWindows = 100_000
	mostState   = 128 << 20
	// budget is what the job may hold of rows in flight.
	budget = 256 << 20
	// overlapBytes remember the readings of the overlap, 196,608 of them: 65,000 a second with the
	// default --write-deadline. That is as much as a write of the checkpoint has room for.
	overlapBytes = 24 << 20
)

// job makes the windows of the readings. It goes on where the instance before it was, whichever way
// that ended.
type job struct {
	cfg      config
	session  *gocql.Session
	keyspace string
	hub      *hub
	metrics  *metrics
}

func (j *job) pipeline() (*rxcql.Pipeline, error) {
	j.hub.reset()
	readings := source.Tail[Reading](j.session, j.keyspace+".readings",
		source.Buckets{Columns: []string{"bucket"}, Size: bucket, Arrived: "arrived"},
		source.TailFrom(time.Now().Add(-kept)), // the first time; later it goes on
		source.PollEvery(pollEvery), source.Overlap(j.cfg.overlap()), source.SeenBytes(overlapBytes),
		source.Consistency(j.cfg.consistency))
	timed := operators.EventTime(readings, func(r Reading) (time.Time, error) { return r.At, nil },
		operators.OutOfOrderness(j.cfg.outOfOrder), operators.IdleAfter(j.cfg.idleAfter),
		operators.MaxAhead(j.cfg.maxAhead+clockSkew)) // of another instance's clock; what is beyond goes to the table unusable
	windows := operators.Window(timed, operators.Tumbling(j.cfg.window),
		func(r Reading) time.Time { return r.At }, func(r Reading) string { return r.Device }, newStats, fold,
		operators.WindowKeys(mostWindows), operators.WindowBytes(mostState))
	rollups := whenDurable(operators.Map(windows, rollup), j.hub.announce)
	return rxcql.New(rollups, sink.Table[Rollup](j.session, j.keyspace+".rollups", sink.Consistency(j.cfg.consistency)),
		rxcql.WithCheckpoint(checkpoint.Table(j.session, j.keyspace+".jobs", checkpoint.Lease(j.cfg.lease)), "rollup"),
		rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.Table(j.session, j.keyspace+".unusable"))),
		rxcql.WithBudget(budget), rxcql.WithHooks(j.metrics.hooks))
}

// stats is the state of a window.
type stats struct {
	readings, repeated int64
	mean, min, max     float64
	seen               map[int64]struct{} // times of readings, in milliseconds
}

func newStats() stats {
	return stats{min: math.Inf(1), max: math.Inf(-1), seen: map[int64]struct{}{}}
}

// fold adds a reading. One that was sent again, because its client did not learn that it was
// written, is known by its time.
func fold(s stats, r Reading) (stats, error) {
	at := r.At.UnixMilli()
	if _, again := s.seen[at]; again {
		s.repeated++
		return s, nil
	}
	s.seen[at] = struct{}{}
	s.readings++
	s.mean += (r.Value - s.mean) / float64(s.readings)
	s.min, s.max = min(s.min, r.Value), max(s.max, r.Value)
	return s, nil
}

// rollup is the row of a window that has closed.
func rollup(w operators.WindowResult[string, stats]) (Rollup, error) {
	return Rollup{
		Hour: w.End.UTC().Truncate(hour), Until: w.End.UTC(), Device: w.Key, Since: w.Start.UTC(),
		Readings: w.Value.readings, Repeated: w.Value.repeated, Mean: w.Value.mean, Min: w.Value.min, Max: w.Value.max,
	}, nil
}
