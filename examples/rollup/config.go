package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/gocql/gocql"
)

// config is what the command line says, checked, and the limits.
type config struct {
	hosts         []string
	keyspace      string
	listen        string
	consistency   gocql.Consistency
	window        time.Duration
	outOfOrder    time.Duration
	maxAhead      time.Duration
	idleAfter     time.Duration
	writeDeadline time.Duration
	lease         time.Duration
	devices       int
	demo          bool
	limits        limits
}

// limits bound what clients may ask of the service.
type limits struct {
	body       int64         // bytes of a POST
	line       int           // bytes of a line in it
	lines      int           // in it
	bodyTime   time.Duration // for all of it to come
	quick      time.Duration // for it to come where others wait for its place
	patience   time.Duration // for a client that reads an answer to take 16 KiB more of it
	posts      int           // at once, and bodies of them that are read at once
	waiting    int           // posts that wait for a write to begin
	held       time.Duration // for an answer to be taken where others wait for its place
	readers    int           // of GET /rollups at once
	watchers   int           // of GET /events at once
	behind     int           // pages of windows that a watcher may be behind
	budget     int64         // bytes in memory for a reader
	windows    int           // open at once, of all devices
	counted    int           // readings in them, before devices are held to their share
	remembered int           // readings of an overlap, by the tail
	drain      time.Duration // for requests to end after a signal

	sendBuffer int // bytes that the system holds for a client
}

var defaultLimits = limits{
	body: 1 << 20, line: 4 << 10, lines: 5000, bodyTime: 10 * time.Second, quick: time.Second, patience: 30 * time.Second,
	posts: 128, waiting: 64, held: time.Minute, readers: 256, watchers: 1000, behind: 64, budget: 256 << 10, drain: 20 * time.Second,
	windows: mostWindows, counted: mostReadings, remembered: mostRemembered, sendBuffer: 256 << 10,
}

// most is how many devices there may be so that all have room for their windows: in each window
// that is open at once, one of which may be about to end, and with some windows to spare, since the
// rows of a page may have any times.
func (c config) most() int { return (c.limits.windows - spareWindows) / int(c.outOfOrder/c.window+3) }

// usual is how many devices there may be if nothing is said, and there is room for them.
const usual = 10_000

// clockSkew is how far clocks of instances and servers may be apart, and how far a clock may be set
// back while no instance runs. Readings that arrive further back than the tail has been are missed.
const clockSkew = time.Second

// overlap is how far back the tail reads again: as long as an acknowledged write may take.
func (c config) overlap() time.Duration { return c.writeDeadline + clockSkew }

// keyspaceName is what CQL takes without quotes; 48 characters is the server's limit.
var keyspaceName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)

// parseFlags reads and checks the command line. All that is wrong is told at once.
func parseFlags(args []string, help io.Writer) (config, error) {
	cfg := config{limits: defaultLimits}
	var hosts, consistency string
	f := flag.NewFlagSet("rollup", flag.ContinueOnError)
	f.SetOutput(io.Discard) // errors are told once, by the caller
	f.StringVar(&hosts, "hosts", "", "servers, as `host[:port],...`; without it one is started (or CASSANDRA_HOSTS used), and the keyspace dropped at the end")
	f.StringVar(&cfg.keyspace, "keyspace", "rollup", "keyspace on --hosts, which must be there: you know how many replicas it needs")
	f.StringVar(&cfg.listen, "listen", "127.0.0.1:8321", "`address` to serve on; there are no logins")
	f.StringVar(&consistency, "consistency", "QUORUM", "`level` of reads and writes: together they must meet in a replica")
	f.DurationVar(&cfg.window, "window", 5*time.Second, "length of a window, whole seconds; the same for all of a keyspace")
	f.DurationVar(&cfg.outOfOrder, "out-of-order", 3*time.Second, "how long a window stays open for readings behind the newest one; where it is less than --write-deadline and 1s, those that are written slowly may be late")
	f.DurationVar(&cfg.maxAhead, "max-ahead", 0, "how far a device's clock may be ahead; such a device takes that much of --out-of-order from all others (default a third of it)")
	f.DurationVar(&cfg.idleAfter, "idle-after", 10*time.Second, "when nothing comes for so long, windows close by the clock")
	f.DurationVar(&cfg.writeDeadline, "write-deadline", 2*time.Second, "time for a write to be acknowledged in, the same for all instances; the tail reads so far back, and the longer it is, the fewer readings a second are taken")
	f.DurationVar(&cfg.lease, "lease", 10*time.Second, "how long the job stays locked when its instance is killed, at least 3s")
	f.IntVar(&cfg.devices, "devices", 0, "how many devices may send, counted over an hour or two; others are refused (default 10000, or as many as there is room for windows of)")
	f.DurationVar(&cfg.limits.patience, "patience", cfg.limits.patience, "how long a client may need for 16 KiB of an answer")
	f.BoolVar(&cfg.demo, "demo", false, "feed the service with readings of five devices")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			f.SetOutput(help)
			f.PrintDefaults()
			return cfg, err
		}
		return cfg, fmt.Errorf("%w; --help lists the flags", err)
	}
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if f.NArg() > 0 {
		bad("%q is not a flag: everything is given by flags; --help lists them", f.Arg(0))
	}
	for host := range strings.SplitSeq(hosts, ",") {
		if host = strings.TrimSpace(host); host != "" {
			cfg.hosts = append(cfg.hosts, host)
		}
	}
	if !keyspaceName.MatchString(cfg.keyspace) {
		bad("--keyspace %q: use a lower-case letter and then up to 47 of a-z, 0-9 and _", cfg.keyspace)
	}
	if err := cfg.consistency.UnmarshalText([]byte(strings.ToUpper(consistency))); err != nil || cfg.consistency == gocql.Any {
		bad("--consistency %q: give ONE, TWO, THREE, QUORUM, ALL, LOCAL_QUORUM, EACH_QUORUM or LOCAL_ONE", consistency)
	}
	if cfg.window < time.Second || cfg.window%time.Second != 0 || cfg.window > hour {
		bad("--window %v: give whole seconds, up to an hour", cfg.window)
	}
	if cfg.maxAhead == 0 {
		cfg.maxAhead = max(cfg.outOfOrder/3, 10*time.Millisecond)
	}
	switch {
	case len(errs) > 0 || cfg.outOfOrder < 0: // told otherwise
	case cfg.most() < 1:
		bad("--out-of-order %v: with windows of %v that keeps too many of a device open; give less, or a longer --window", cfg.outOfOrder, cfg.window)
	case cfg.devices == 0:
		cfg.devices = min(usual, cfg.most())
	case cfg.devices < 0 || cfg.devices > cfg.most():
		bad("--devices %d: give 1 to %d; for more give a longer --window or less --out-of-order, or raise mostWindows (rollup.go)", cfg.devices, cfg.most())
	}
	if cfg.lease < 3*time.Second {
		bad("--lease %v: give at least 3s", cfg.lease)
	}
	for name, d := range map[string]time.Duration{
		"out-of-order": cfg.outOfOrder, "max-ahead": cfg.maxAhead, "idle-after": cfg.idleAfter, "write-deadline": cfg.writeDeadline, "patience": cfg.limits.patience,
	} {
		if d < 10*time.Millisecond {
			bad("--%s %v: give at least 10ms", name, d)
		}
	}
	return cfg, errors.Join(errs...)
}
