package main

import (
	"errors"
	"math"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

const (
	// pollEvery is how often the tail looks for new readings.
	pollEvery = 250 * time.Millisecond
	// mostWindows is how many windows may be open at once, and mostState the bytes of their states.
	// A state takes up to 460 bytes, and 21 for each reading in it. So it has room for the windows
	// and for twice mostReadings, and room sees to it that there are no more.
	mostWindows  = 100_000
	spareWindows = 20_000
	mostReadings = 3_500_000
	mostState    = 192 << 20
	// retryFor is how long a request is tried again. A run that fails then costs little, since the
	// next one goes on, and until that one has lasted the service says that it is not well: see
	// steady.
	retryFor = 15 * time.Second
	// budget is what the job may hold of rows in flight.
	budget = 384 << 20
	// mostRemembered is how many readings of the overlap the tail remembers, 65,000 a second with the
	// default --write-deadline, in 128 bytes each. That is as much as a write of the checkpoint has
	// room for.
	mostRemembered = 196_608
)

// job makes the windows of the readings. It goes on where the instance before it was, whichever way
// that ended.
type job struct {
	cfg         config
	session     *gocql.Session
	keyspace    string
	checkpoints rxcql.CheckpointStore
	hub         *hub
	metrics     *metrics
	delay       time.Duration
}

// pipeline makes the next run. If the one before it had more readings in its overlap than it can
// remember, as may be with several instances, each reading is left alone from now on until its
// overlap has passed. So it is read once, and none has to be remembered; windows close later by
// that. Otherwise the next run would end as the one before did.
func (j *job) pipeline(before error) (*rxcql.Pipeline, error) {
	if errors.Is(before, source.ErrTailFull) {
		j.delay = j.cfg.overlap()
		j.metrics.delay.Set(j.delay.Seconds())
	}
	j.hub.reset()
	room := newRoom(j.cfg, j.metrics)
	tail := source.Tail[stored](j.session, j.keyspace+".readings",
		source.Buckets{Columns: []string{"bucket"}, Size: bucket, Arrived: "arrived"},
		source.TailFrom(time.Now().Add(-kept)), // the first time; later it goes on
		source.PollEvery(pollEvery), source.Overlap(j.cfg.overlap()), source.Delay(j.delay),
		source.SeenBytes(int64(j.cfg.limits.remembered)*128), source.Consistency(j.cfg.consistency))
	readings := operators.Map(tail, stored.reading)
	timed := operators.EventTime(operators.Filter(readings, room.usable), func(r Reading) (time.Time, error) { return r.At, nil },
		operators.OutOfOrderness(j.cfg.outOfOrder), operators.IdleAfter(j.cfg.idleAfter),
		operators.MaxAhead(j.cfg.maxAhead+clockSkew)) // of another instance's clock; what is beyond goes to the table unusable
	windows := operators.Window(room.admit(timed), operators.Tumbling(j.cfg.window),
		func(r Reading) time.Time { return r.At }, func(r Reading) string { return r.Device }, newStats, room.fold,
		operators.WindowKeys(int64(j.cfg.limits.windows)), operators.WindowBytes(mostState))
	rollups := whenDurable(operators.Map(windows, room.rollup), j.hub.announce)
	return rxcql.New(rollups, sink.Table[Rollup](j.session, j.keyspace+".rollups", sink.Consistency(j.cfg.consistency)),
		rxcql.WithCheckpoint(j.checkpoints, "rollup"),
		rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.Table(j.session, j.keyspace+".unusable"))),
		rxcql.WithBudget(budget), rxcql.WithRetry(retryFor, 0), rxcql.WithHooks(j.metrics.hooks))
}

// stats is the state of a window.
type stats struct {
	readings, repeated, skipped int64
	mean, min, max              float64
	seen                        map[int64]struct{} // times of readings, in milliseconds
}

func newStats() stats {
	return stats{min: math.Inf(1), max: math.Inf(-1), seen: map[int64]struct{}{}}
}

// fold adds a reading. One that was sent again, because its client did not learn that it was
// written, is known by its time.
func (r *room) fold(s stats, reading Reading) (stats, error) {
	at := reading.At.UnixMilli()
	if _, again := s.seen[at]; again {
		s.repeated++
		return s, nil
	}
	if !r.takes(s.readings) {
		s.skipped++
		r.skipped("readings")
		return s, nil
	}
	s.seen[at] = struct{}{}
	s.readings++
	s.mean += (reading.Value - s.mean) / float64(s.readings)
	s.min, s.max = min(s.min, reading.Value), max(s.max, reading.Value)
	return s, nil
}

// rollup is the row of a window that has closed. Its readings take no room any more.
func (r *room) rollup(w operators.WindowResult[string, stats]) (Rollup, error) {
	r.counted -= int(w.Value.readings)
	if w.Value.readings == 0 { // all of them were skipped
		w.Value.min, w.Value.max = 0, 0
	}
	return Rollup{
		Hour: w.End.UTC().Truncate(hour), Until: w.End.UTC(), Device: w.Key, Since: w.Start.UTC(),
		Readings: w.Value.readings, Repeated: w.Value.repeated, Skipped: w.Value.skipped, Mean: w.Value.mean, Min: w.Value.min, Max: w.Value.max,
	}, nil
}
