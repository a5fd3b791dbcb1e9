// Command rollup is a service that takes readings of devices over HTTP, rolls them up by device and
// window of time, and shows each window on a live page as soon as it is closed.
//
//	go run ./examples/rollup --demo     # starts a Cassandra and feeds itself; open its page
//
// It is the toolkit's example of real-time aggregation, in files that you can copy:
//
//	POST /readings ──▶ source.Chan ──▶ sink.Table ──▶ readings, by arrival  (ingest.go, devices.go)
//	readings ──source.Tail──▶ operators.EventTime ──▶ operators.Window, a device a key
//	         ──sink.Table──▶ rollups, by time                                (rollup.go, room.go)
//	GET /rollups ◀── source.Query, at the client's speed                     (read.go)
//	GET /events  ◀── each window once it is durable, by Server-Sent Events   (events.go, hub.go)
//	GET /        ◀── a page with a chart of these                            (page)
//
// What it promises:
//
//   - A POST is answered with 2xx when all of its lines are written at --consistency, and soon
//     enough that the tail finds them (--write-deadline). After 408, 429, 5xx or no answer send the
//     lines again: a reading is known by its device and its time, to the millisecond, and counts
//     once in a window. Two of one device in one millisecond are one.
//   - A body has ten seconds to come, on any path, and GET takes none.
//   - When writes fall behind the answer is 429 with Retry-After, before anything is written.
//   - So it is where more devices send than --devices, counted over this hour and the one before,
//     or more readings than the job can remember. The error names the limit, and the devices beyond
//     it. Those that are known go on, also after a restart: whoever makes up names fills the
//     windows of nobody else. What is in the table all the same, from another writer or from
//     several instances together, is left out of the windows where there is no room, or where no
//     POST could have brought it, and counted (rollup_skipped_readings_total; "skipped" in a
//     window): the job goes on.
//   - Who sends or reads slowly, or watches for ever, keeps a place of those that there are only
//     while nobody else wants it, and so keeps nobody out.
//   - A reading of a time beyond --max-ahead is refused, since it would make those of all others
//     late. One that comes after its window has closed is kept among the readings and counted as
//     late (rollup_late_readings_total), and changes no window.
//   - Killed at any moment and started again, it counts each reading once, or as late: windows and
//     positions are a job with a checkpoint. A second instance, which must have the same --window
//     and --write-deadline, takes readings and serves rollups, and goes on with the job when the
//     first one ends. Until then it pushes no windows, and its page says so.
//
// With no --hosts it uses the servers in CASSANDRA_HOSTS, or else starts a Cassandra, and drops its
// keyspace at the end. It listens on the loopback interface unless --listen says otherwise: it has
// no logins, so put a proxy that has them before it: who may post may take all places of devices
// that are left, and new ones are refused then, until those names are forgotten.
//
// The first SIGINT or SIGTERM drains it: no new requests, those that were begun are answered, and
// what was read is written. With --hosts a second signal ends it at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/examples/internal/scratch"
)

func main() {
	cfg, err := parseFlags(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		exit(2, err)
	}
	if len(cfg.hosts) == 0 {
		scratch.Main(func(ctx context.Context, p *scratch.Place) error { return run(ctx, p.Session, p.Keyspace, cfg) })
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := connect(ctx, cfg); err != nil {
		exit(1, err)
	}
}

// exit ends the program. Nobody is left to be told of a failure to write.
func exit(code int, err error) {
	_, _ = fmt.Fprintln(os.Stderr, "rollup:", err)
	os.Exit(code)
}

// connect runs the service on the servers that are named.
func connect(ctx context.Context, cfg config) error {
	cluster := gocql.NewCluster(cfg.hosts...)
	if err := rxcql.Configure(cluster, ""); err != nil {
		return err
	}
	session, err := cluster.CreateSession()
	if err != nil {
		return fmt.Errorf("--hosts: %w", err)
	}
	defer session.Close()
	return run(ctx, session, cfg.keyspace, cfg)
}

// run makes the tables that are missing and serves until ctx ends, and all is drained.
func run(ctx context.Context, session *gocql.Session, keyspace string, cfg config) error {
	if err := createTables(ctx, session, keyspace); err != nil {
		return err
	}
	s, err := newService(ctx, session, keyspace, cfg)
	if err != nil {
		return err
	}
	if err := keepSettings(ctx, session, keyspace, cfg); err != nil {
		return err
	}
	return s.serve(ctx)
}
