package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Flight is a row of table flights.
type Flight struct {
	Origin      string    `cql:"origin"`
	Destination string    `cql:"destination"`
	Date        time.Time `cql:"date"`
	Seq         int64     `cql:"seq"`      // the row's number in its file, from 1
	Delay       int32     `cql:"delay"`    // minutes; negative is early
	Distance    int32     `cql:"distance"` // miles
}

// Route is a row of table routes: the delays of one route, in minutes.
type Route struct {
	Origin      string  `cql:"origin" json:"origin"`
	Destination string  `cql:"destination" json:"destination"`
	Distance    int32   `cql:"distance" json:"distance_miles"`
	Flights     int64   `cql:"flights" json:"flights"`
	Late        int64   `cql:"late" json:"late"` // at least lateAfter minutes
	DelaySum    int64   `cql:"delay_sum" json:"delay_sum"`
	DelayMin    int32   `cql:"delay_min" json:"delay_min"`
	DelayMax    int32   `cql:"delay_max" json:"delay_max"`
	DelayMean   float64 `cql:"delay_mean" json:"delay_mean"`
	LateShare   float64 `cql:"late_share" json:"late_share"`
}

// A route is a partition of flights, so that all its rows arrive together. Seq
// is part of the key because several flights of a route leave at one minute.
//
// The routes of one origin are a partition of routes, so that they are written
// in batches.
const (
	createFlights = `CREATE TABLE IF NOT EXISTS %s.flights (
		origin text, destination text, date timestamp, seq bigint, delay int, distance int,
		PRIMARY KEY ((origin, destination), date, seq))`
	createRoutes = `CREATE TABLE IF NOT EXISTS %s.routes (
		origin text, destination text, distance int, flights bigint, late bigint, delay_sum bigint,
		delay_min int, delay_max int, delay_mean double, late_share double,
		PRIMARY KEY ((origin), destination))`
)

// createTables makes the keyspace and the tables where they are missing. A
// keyspace that is there keeps its replication; a new one has one replica.
func createTables(ctx context.Context, s *server, keyspace string) error {
	quoted := `"` + keyspace + `"` // it may be a word of CQL
	for _, cql := range []string{
		fmt.Sprintf("CREATE KEYSPACE IF NOT EXISTS %s WITH replication = "+
			"{'class': 'NetworkTopologyStrategy', '%s': 1}", quoted, strings.ReplaceAll(s.about.Datacenter, "'", "''")),
		fmt.Sprintf(createFlights, quoted),
		fmt.Sprintf(createRoutes, quoted),
	} {
		if err := s.session.Query(cql).WithContext(ctx).Exec(); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("make the tables in keyspace %s: %w", keyspace, err)
		}
	}
	return nil
}

// table is a table's name as sources and sinks take it.
func (o options) table(name string) string { return `"` + o.keyspace + `".` + name }
