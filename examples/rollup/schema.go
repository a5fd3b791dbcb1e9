package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/deadletter"
)

// Reading is what a device has measured, as a row of the table readings. Its partition is made from
// the time at which it arrived, so that a tail finds it there, however old its own time is.
type Reading struct {
	Bucket  time.Time `cql:"bucket"`  // the beginning of the five minutes that Arrived is in
	Arrived time.Time `cql:"arrived"` // when the service took it in
	Device  string    `cql:"device"`
	At      time.Time `cql:"at"` // when the device measured
	Value   float64   `cql:"value"`
}

// stored is a Reading as it is read: another writer may have left out the value.
type stored struct {
	Bucket  time.Time `cql:"bucket"`
	Arrived time.Time `cql:"arrived"`
	Device  string    `cql:"device"`
	At      time.Time `cql:"at"`
	Value   *float64  `cql:"value"`
}

// reading is one without a number where there is no value.
func (s stored) reading() (Reading, error) {
	value := math.NaN()
	if s.Value != nil {
		value = *s.Value
	}
	return Reading{s.Bucket, s.Arrived, s.Device, s.At, value}, nil
}

// Device is a device that has sent in an hour, as a row of the table devices.
type Device struct {
	Hour   time.Time `cql:"hour"`
	Device string    `cql:"device"`
}

// Rollup is a window of one device, as a row of the table rollups and as JSON.
type Rollup struct {
	Hour     time.Time `cql:"hour" json:"-"`      // that Until is in
	Until    time.Time `cql:"until" json:"until"` // the end of the window, which is not in it
	Device   string    `cql:"device" json:"device"`
	Since    time.Time `cql:"since" json:"since"`
	Readings int64     `cql:"readings" json:"readings"`
	Repeated int64     `cql:"repeated" json:"repeated"`         // that came again, and were not counted again
	Skipped  int64     `cql:"skipped" json:"skipped,omitempty"` // that there was no room for: see room
	Mean     float64   `cql:"mean" json:"mean"`
	Min      float64   `cql:"min" json:"min"`
	Max      float64   `cql:"max" json:"max"`
}

const (
	// bucket is how long readings go into one partition. Keep a partition under 100 MB: that is
	// about 6,000 readings a second here. For more add a shard (source.Buckets.Shard).
	bucket = 5 * time.Minute
	// kept is for how long readings are kept, which is how long the job may stand still.
	kept = 48 * time.Hour
	// hour is how long rollups go into one partition.
	hour = time.Hour
)

// tables are what stands behind CREATE TABLE, by name. Rows expire together with their files.
var tables = map[string]string{
	"readings": fmt.Sprintf("(bucket timestamp, arrived timestamp, device text, at timestamp, value double, "+
		"PRIMARY KEY (bucket, arrived, device, at)) WITH default_time_to_live = %d "+
		"AND compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'HOURS', 'compaction_window_size': 2}",
		int(kept.Seconds())),
	"devices":  "(hour timestamp, device text, PRIMARY KEY (hour, device)) WITH default_time_to_live = 10800",
	"settings": "(name text PRIMARY KEY, value text)",
	"rollups": "(hour timestamp, until timestamp, device text, since timestamp, readings bigint, repeated bigint, skipped bigint, " +
		"mean double, min double, max double, PRIMARY KEY (hour, until, device)) WITH default_time_to_live = 7776000 " +
		"AND compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', 'compaction_window_size': 3}",
}

// createTables makes the tables that are not there.
func createTables(ctx context.Context, session *gocql.Session, keyspace string) error {
	for name, columns := range tables {
		err := session.Query("CREATE TABLE IF NOT EXISTS " + keyspace + "." + name + " " + columns).WithContext(ctx).Exec()
		if err != nil {
			return fmt.Errorf("create table %s.%s: %w", keyspace, name, err)
		}
	}
	if err := checkpoint.CreateTable(ctx, session, keyspace+".jobs"); err != nil {
		return err
	}
	return deadletter.CreateTable(ctx, session, keyspace+".unusable")
}
