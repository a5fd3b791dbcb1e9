package main

import (
	"context"
	"fmt"
)

// event is the row of the scan and of the copy: an ordinary time series, in
// partitions of 100 rows. Every note is another text, so nobody is spared the
// making of strings.
type event struct {
	Sensor int32  `cql:"sensor"`
	Seq    int32  `cql:"seq"`
	Kind   int32  `cql:"kind"`
	At     int64  `cql:"at"` // milliseconds
	Note   string `cql:"note"`
}

const (
	partitionRows = 100
	selectEvents  = "SELECT sensor, seq, kind, at, note FROM %s"
	insertEvent   = "INSERT INTO %s (sensor, seq, kind, at, note) VALUES (?, ?, ?, ?, ?)"
)

func eventAt(i int64) event {
	return event{
		Sensor: int32(i / partitionRows),
		Seq:    int32(i % partitionRows),
		Kind:   int32(i * 7 % 10),
		At:     1_700_000_000_000 + i*250,
		Note:   fmt.Sprintf("reading %07d of the day", i),
	}
}

func (s *server) createEvents(ctx context.Context, table string) error {
	return s.exec(ctx, "CREATE TABLE "+s.keyspace+"."+table+" (sensor int, seq int, kind int, at bigint, note text, "+
		"PRIMARY KEY (sensor, seq)) WITH compression = {'enabled': false}")
}

// events makes sure that the table with so many events is there. It is loaded
// by a child, so that this process stays small.
func (b *bench) events(ctx context.Context) (name string, err error) {
	name = "events"
	if _, done := b.server.loaded[name]; done {
		return name, nil
	}
	if err := b.server.createEvents(ctx, name); err != nil {
		return "", err
	}
	j := job{Keyspace: b.server.keyspace, Table: name, Rows: b.rows}
	progress("  loading %d rows into %s", j.Rows, name)
	if _, err := b.spawn(ctx, loadEvents, j); err != nil {
		return "", err
	}
	b.server.loaded[name], err = checksum(ctx, b.server.session, b.server.keyspace+"."+name)
	if err == nil && b.server.loaded[name].Rows != b.rows {
		err = fmt.Errorf("loading %s: %d rows are there, not %d", name, b.server.loaded[name].Rows, b.rows)
	}
	return name, err
}

// The three functions of every comparison: a Map, a Filter that drops a tenth,
// and a Map. They are as cheap as such functions are, so that what carries the
// rows through them is what shows.

type reading struct {
	Key    int64
	Minute int64
	Kind   int32
	Note   string
}

type point struct{ Key, Value int64 }

func toReading(e event) reading {
	return reading{Key: int64(e.Sensor)<<32 | int64(e.Seq), Minute: e.At / 60_000, Kind: e.Kind, Note: e.Note}
}

func wanted(r reading) bool { return r.Kind != 0 }

func toPoint(r reading) point {
	return point{Key: r.Key, Value: r.Minute + int64(r.Kind) + int64(len(r.Note))}
}

// readingOf and pointOf are the same functions for the libraries in which a
// function may fail. They are written out: calling the others would copy each
// row once more, which nobody's own function does.

func readingOf(e event) (reading, error) {
	return reading{Key: int64(e.Sensor)<<32 | int64(e.Seq), Minute: e.At / 60_000, Kind: e.Kind, Note: e.Note}, nil
}

func pointOf(r reading) (point, error) {
	return point{Key: r.Key, Value: r.Minute + int64(r.Kind) + int64(len(r.Note))}, nil
}

// count is the end of every comparison.
func (t *tally) count(p point) {
	t.Rows++
	t.Sum += p.Key ^ p.Value
}
