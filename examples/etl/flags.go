package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/docker/go-units"
	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
)

// options is what the command line says, checked.
type options struct {
	hosts    []string
	keyspace string
	user     string
	password string
	tls      bool
	ca       string
	cert     string
	key      string
	dc       string

	workers     int
	budget      int64
	consistency *gocql.Consistency // nil: the driver's, QUORUM

	flights    string
	checkpoint string // a folder; "" for none
	json       bool
}

// parseFlags reads and checks the command line. Its errors say what to do; all
// that is wrong is told at once.
func parseFlags(args []string, help io.Writer) (options, error) {
	var o options
	var hosts, budget, consistency, passwordFile, passwordEnv string
	f := flag.NewFlagSet("etl", flag.ContinueOnError)
	f.SetOutput(io.Discard) // errors are told once, by the caller
	f.StringVar(&hosts, "hosts", "", "servers, as `host[:port],...`; without it one is started (or CASSANDRA_HOSTS used)")
	f.StringVar(&o.keyspace, "keyspace", "rxcql_etl", "keyspace for the tables flights and routes; made if it is not there")
	f.StringVar(&o.user, "user", "", "user `name`, with --password-file or --password-env")
	f.StringVar(&passwordFile, "password-file", "", "`file` with the password in its first line")
	f.StringVar(&passwordEnv, "password-env", "", "`name` of the environment variable with the password")
	f.BoolVar(&o.tls, "tls", false, "speak TLS and verify the servers")
	f.StringVar(&o.ca, "ca", "", "PEM `file` with the CA of the servers (default: the system's)")
	f.StringVar(&o.cert, "cert", "", "PEM `file` with the client's certificate, with --key")
	f.StringVar(&o.key, "key", "", "PEM `file` with the client's key, with --cert")
	f.StringVar(&o.dc, "dc", "", "`name` of the local datacenter (default: that of the first server)")
	f.IntVar(&o.workers, "workers", rxcql.DefaultWorkers, "`number` of token ranges read at once")
	f.StringVar(&budget, "budget", units.BytesSize(float64(rxcql.DefaultBudget)), "most bytes in flight, as `64MiB`")
	f.StringVar(&consistency, "consistency", "", "`level` of reads and writes, as LOCAL_QUORUM (default QUORUM)")
	f.StringVar(&o.flights, "flights", "", "`file` of flights: CSV, plain or gzip, or Parquet (default: the 200,000 that come with it)")
	f.StringVar(&o.checkpoint, "checkpoint", "", "`folder` for checkpoints: a job that was interrupted goes on from there, one that is done is not done again")
	f.BoolVar(&o.json, "json", false, "print the report as JSON, and nothing else")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			f.SetOutput(help)
			_, _ = fmt.Fprintln(help, "usage: etl [flags]")
			f.PrintDefaults()
			return o, err
		}
		return o, fmt.Errorf("%w; --help lists the flags", err)
	}
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if f.NArg() > 0 {
		bad("%q is not a flag: everything is given by flags; --help lists them", f.Arg(0))
	}
	if !keyspaceName.MatchString(o.keyspace) {
		bad("--keyspace %q: use a lower-case letter and then up to 47 of a-z, 0-9 and _", o.keyspace)
	}
	if o.workers < 1 || o.workers > 4096 {
		bad("--workers %d: give 1 to 4096", o.workers)
	}
	var err error
	if o.budget, err = units.RAMInBytes(budget); err != nil || o.budget < rxcql.MinBudgetPerInput {
		bad("--budget %q: give a size of at least %s, such as 64MiB", budget, units.BytesSize(float64(rxcql.MinBudgetPerInput)))
	}
	if consistency != "" {
		o.consistency = new(gocql.Consistency)
		if err := o.consistency.UnmarshalText([]byte(strings.ToUpper(consistency))); err != nil || *o.consistency == gocql.Any {
			bad("--consistency %q: give ONE, TWO, THREE, QUORUM, ALL, LOCAL_QUORUM, EACH_QUORUM or LOCAL_ONE", consistency)
		}
	}
	given := map[string]bool{}
	f.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
	if given["hosts"] {
		if o.hosts, err = parseHosts(hosts); err != nil {
			errs = append(errs, err)
		}
	}
	if o.checkpoint != "" && !given["hosts"] && os.Getenv("CASSANDRA_HOSTS") == "" {
		bad("--checkpoint is for servers that stay: name them with --hosts")
	}
	errs = append(errs, o.login(given, passwordFile, passwordEnv), o.checkTLS(given))
	return o, errors.Join(errs...)
}

// keyspaceName is what CQL takes without quotes; 48 characters is the server's limit.
var keyspaceName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)

// parseHosts takes a list as it is typed: spaces and an empty entry do no harm.
func parseHosts(list string) ([]string, error) {
	var hosts []string
	for host := range strings.SplitSeq(list, ",") {
		if host = strings.TrimSpace(host); host != "" {
			hosts = append(hosts, host)
		}
	}
	if len(hosts) == 0 {
		return nil, fmt.Errorf("--hosts %q names no server: give host or host:port, with commas between them", list)
	}
	return hosts, nil
}

// login reads the password. There is no flag with the password itself, since
// every user of a machine can read the arguments of its processes.
func (o *options) login(given map[string]bool, file, env string) error {
	if err := needsHosts(given, "user", "dc"); err != nil {
		return err
	}
	switch {
	case file != "" && env != "":
		return errors.New("--password-file and --password-env: give one of them")
	case o.user == "" && (file != "" || env != ""):
		return errors.New("a password without a name: give --user too")
	case o.user != "" && file == "" && env == "":
		return errors.New("--user without a password: give --password-file or --password-env too")
	case env != "":
		if o.password = os.Getenv(env); o.password == "" {
			return fmt.Errorf("--password-env %s: the variable is empty or not set", env)
		}
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("--password-file: %w", err)
		}
		line, _, _ := strings.Cut(string(text), "\n")
		if o.password = strings.TrimSuffix(line, "\r"); o.password == "" {
			return fmt.Errorf("--password-file %s: the first line is empty", file)
		}
	}
	return nil
}

func (o *options) checkTLS(given map[string]bool) error {
	if err := needsHosts(given, "tls"); err != nil {
		return err
	}
	if !o.tls && (o.ca != "" || o.cert != "" || o.key != "") {
		return errors.New("--ca, --cert and --key are for TLS: give --tls too")
	}
	if (o.cert == "") != (o.key == "") {
		return errors.New("--cert and --key go together: give both")
	}
	for _, file := range []struct{ flag, path string }{{"ca", o.ca}, {"cert", o.cert}, {"key", o.key}} {
		if file.path == "" {
			continue
		}
		if _, err := os.Stat(file.path); err != nil {
			return fmt.Errorf("--%s: %w", file.flag, err)
		}
	}
	return nil
}

// needsHosts refuses what says how to reach a server when none is named.
func needsHosts(given map[string]bool, flags ...string) error {
	for _, name := range flags {
		if given[name] && !given["hosts"] {
			return fmt.Errorf("--%s is about servers that run already: name them with --hosts", name)
		}
	}
	return nil
}
