// Command etl loads the flights of a file into Cassandra, reads them back by
// token ranges, folds them by route and writes the delays of every route into a
// second table. It is the toolkit's example of a whole job:
//
//	file ──source.Seq──▶ sink.Table ──▶ flights      (load.go)
//	flights ──source.Table──▶ operators.Filter       rows that cannot be right (clean.go)
//	        ──operators.GroupAdjacent──▶ Route       rows of a partition come together (routes.go)
//	        ──sink.Table──▶ routes                   upserts in batches
//	routes ──source.Table──▶ the ten worst routes    (worst.go)
//
// Both pipelines stay within --budget bytes in flight however large the file
// is. Every write is an upsert of a key that the file gives, so running again
// gives the same tables.
//
// With no --hosts it takes the servers in CASSANDRA_HOSTS, or else starts a
// Cassandra (Docker, or JDK 17 and Maven) and removes it at the end. A keyspace
// holds the flights of one file; for another file name another --keyspace.
//
// With --checkpoint a job that was interrupted, in whatever way, goes on when it is run again with
// the same flags.
//
// The first SIGINT or SIGTERM stops reading and writes what has been read; the
// second cancels at once. Exit codes: 0 done, 1 failed, 2 wrong flags, 130
// ended by SIGINT, 143 by SIGTERM.
//
// With --json the report goes to standard output as one JSON value, however the job ends (except
// after wrong flags). It has the exit code, the error if there was one, and the reports of the
// steps that were begun.
//
// The flights that come with it are figures of the US Bureau of Transportation
// Statistics, public domain: the first 200,000 flights of 2001.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with its surroundings given, and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, signals := catchSignals(context.Background()) // first, so that none ends it without a report
	defer signals.release()
	opts, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		complain(stderr, err)
		return 2
	}
	res := &result{}
	err = etl(ctx, opts, signals, newScreen(stdout, opts.json), res)
	res.ended(err, signals)
	if failed := res.print(stdout, opts.json); failed != nil { // standard output is closed
		err = errors.Join(err, failed)
		res.ended(err, signals)
	}
	if err != nil {
		complain(stderr, err)
	}
	return res.ExitCode
}

// complain ignores a failure to write: there is nobody left to tell.
func complain(stderr io.Writer, err error) { _, _ = fmt.Fprintf(stderr, "etl: %v\n", err) }

// etl does the whole job. res has what was done, also when it returns an error.
func etl(ctx context.Context, opts options, signals *signals, out *screen, res *result) (err error) {
	file, err := openFlights(opts.flights) // before the server: a wrong file is told at once
	if err != nil {
		return err
	}
	res.File = file.name
	defer func() { err = errors.Join(err, file.Close()) }()

	setupCtx, cancel := signals.orderly(ctx)
	defer cancel()
	server, err := connect(setupCtx, opts, out)
	if err != nil {
		return err
	}
	res.Cassandra = &server.about
	defer func() { err = errors.Join(err, server.close(ctx)) }()
	if err := createTables(setupCtx, server, opts.keyspace); err != nil {
		return err
	}

	j := &job{session: server.session, opts: opts, signals: signals, out: out}
	if res.Load, err = j.load(ctx, file); err != nil {
		return err
	}
	if res.Run, err = j.routes(ctx); err != nil {
		return err
	}
	if err := sameFlights(opts.keyspace, res); err != nil {
		return err
	}
	res.Worst, err = j.worst(setupCtx)
	return err
}
