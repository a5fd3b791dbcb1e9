package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// table is a figure's result.
type table struct {
	columns []string
	rows    [][]string
	notes   []string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print(w io.Writer, f figure) error {
	var s strings.Builder
	fmt.Fprintf(&s, "\n## %s: %s\n\n| %s |\n|%s\n", f.name, f.title,
		strings.Join(t.columns, " | "), strings.Repeat(" --- |", len(t.columns)))
	for _, row := range t.rows {
		fmt.Fprintf(&s, "| %s |\n", strings.Join(row, " | "))
	}
	if len(t.notes) > 0 {
		fmt.Fprintf(&s, "\n%s\n", strings.Join(t.notes, "\n"))
	}
	_, err := io.WriteString(w, s.String())
	return err
}

// heading says what was measured with what.
func heading(w io.Writer, srv *server, s settings) error {
	_, err := fmt.Fprintf(w, "# rxcql against hand-written gocql and other libraries\n\n"+
		"%s; %s %s/%s, GOMAXPROCS %d of %d cores; Cassandra %s (%s) on the same machine; gocql %s, rxgo %s, samber/ro %s, destel/rill %s; "+
		"%d rows, median of %d paired runs (least–most), each in a process of its own; CPU is the client's user + system time.\n",
		time.Now().UTC().Format("2006-01-02"), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), runtime.NumCPU(),
		srv.version, srv.cluster.Way(), module("gocql/gocql"), module("reactivex/rxgo/v2"), module("samber/ro"), module("destel/rill"),
		s.rows, s.pairs)
	return err
}

// module is the version of a dependency in this binary.
func module(suffix string) string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, m := range info.Deps {
			if strings.HasSuffix(m.Path, suffix) {
				if m.Replace != nil {
					return fmt.Sprintf("%s (%s %s)", m.Version, m.Replace.Path, m.Replace.Version)
				}
				return m.Version
			}
		}
	}
	return "unknown"
}

// in formats a spread in a unit, such as nanoseconds of seconds.
func (s spread) in(format string, unit float64) string {
	f := func(v float64) string { return fmt.Sprintf(format, v/unit) }
	return fmt.Sprintf("%s (%s–%s)", f(s.median), f(s.least), f(s.most))
}

func (s spread) ratio() string { return s.in("%.2f", 1) }

func (s spread) nanos() string { return s.in("%.0f", 1e-9) }

func (s spread) megabytes() string { return s.in("%.1f", 1e6) }

// workColumns and workCells are what scan and copy show of each contender.
var workColumns = []string{"contender", "client CPU, ns a row", "ratio to by hand", "wanted", "wall, s", "peak RSS, MB", "allocations a row", "collections"}

func workCells(label, wanted string, runs, baseline []outcome) []string {
	against := "1"
	if &runs[0] != &baseline[0] {
		against = "**" + ratio(runs, baseline, perRow).ratio() + "**"
	}
	rows := func(o outcome) float64 { return o.PerRow / o.CPU.Seconds() }
	return []string{
		label, each(runs, perRow).nanos(), against, wanted,
		each(runs, func(o outcome) float64 { return o.Wall.Seconds() }).in("%.2f", 1),
		each(runs, peak).megabytes(),
		fmt.Sprintf("%.2f", each(runs, func(o outcome) float64 { return float64(o.Mallocs) * rows(o) }).median),
		fmt.Sprintf("%.0f", each(runs, func(o outcome) float64 { return float64(o.GCs) }).median),
	}
}

// speedColumns and speedCells are what figures show in which requests of one row are compared.
var speedColumns = []string{
	"contender", "client CPU, ns a row", "ratio to by hand, as many in flight", "wanted",
	"rows a second", "ratio to by hand, as many in flight", "peak RSS, MB",
}

func speedCells(label, wanted string, runs, baseline []outcome) []string {
	speed := func(o outcome) float64 { return float64(o.Rows) / o.Wall.Seconds() }
	cells := workCells(label, wanted, runs, baseline)
	return append(cells[:4:4], each(runs, speed).in("%.0f", 1), "**"+ratio(runs, baseline, speed).ratio()+"**", cells[5])
}
