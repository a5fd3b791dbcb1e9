// Command bench compares the toolkit with hand-written gocql and with other
// stream libraries, on one real Cassandra that it starts itself, and prints a
// table of ratios. README.md says what each figure means.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

// settings is what the flags say.
type settings struct {
	rows    int64
	pairs   int
	heapMB  int
	only    string
	profile string
	sizes   string
}

func main() {
	var s settings
	flag.Int64Var(&s.rows, "rows", 1_000_000, "rows of the tables; memory, adjacent, checkpoint and resume also use ten times as many, operators, verbs and windows four times")
	flag.IntVar(&s.pairs, "pairs", 5, "paired runs of each figure")
	flag.StringVar(&s.only, "only", "", "figures to run, comma separated, of "+strings.Join(names(figures), ",")+" (default all)")
	flag.StringVar(&s.profile, "cpuprofile", "", "a `folder` for CPU and allocation profiles, from one more run of each contender that does not count")
	flag.StringVar(&s.sizes, "sizes", "100000,1000000", "rows of the tables of command-memory, comma separated")
	flag.IntVar(&s.heapMB, "heap", 2048, "Java heap of the Cassandra that is started, in MB")
	child := flag.String("child", "", "run this one contender in this process; its job is read from standard input (used by the program itself)")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case flag.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flag.Arg(0))
	case *child != "":
		err = serve(ctx, *child, os.Stdin, os.Stdout)
	default:
		err = compare(ctx, s, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// compare runs the figures that were asked for and prints each as it is ready.
func compare(ctx context.Context, s settings, out io.Writer) (err error) {
	chosen, err := choose(s.only)
	if err != nil {
		return err
	}
	if s.rows < 1 || s.pairs < 1 {
		return errors.New("-rows and -pairs must be at least 1")
	}
	if s.profile != "" {
		if err := os.MkdirAll(s.profile, 0o755); err != nil {
			return err
		}
	}
	folder, err := os.MkdirTemp("", "rxcql-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	srv, err := startServer(ctx, s.heapMB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.stop()) }() //nolint:contextcheck // cleaning up goes on when ctx has ended
	if err := heading(out, srv, s); err != nil {
		return err
	}
	b := &bench{settings: s, server: srv, folder: folder}
	for _, f := range chosen {
		progress("%s", f.name)
		table, err := f.run(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if err := table.print(out, f); err != nil {
			return err
		}
	}
	return nil
}

// progress tells the person who waits what goes on; results alone go to
// standard output.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
