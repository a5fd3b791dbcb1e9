package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// rxcql returns the command, which is built once, in its own module: this one has not all that it
// needs.
func (b *bench) rxcql(ctx context.Context) (string, error) {
	if b.command != "" {
		return b.command, nil
	}
	path := filepath.Join(b.folder, "rxcql")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/rxcql")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0") // static, as it is told to be installed
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building cmd/rxcql: %w: %s", err, out)
	}
	b.command = path
	return path, nil
}

// runCommand runs the command of a job with its arguments. Its start and its connecting are part
// of the work, which is to its disadvantage next to contenders that have connected before.
var runCommand = register("command", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
	env, err := commandEnv(ctx)
	if err != nil {
		return nil, nil, err
	}
	return func() (tally, error) {
		var said bytes.Buffer
		cmd := exec.CommandContext(ctx, j.Command, j.Args...)
		cmd.Env, cmd.Stdout, cmd.Stderr = env, &said, &said
		err := runGroup(cmd)
		var exit *exec.ExitError
		switch {
		case err != nil && !errors.As(err, &exit):
			return tally{}, fmt.Errorf("rxcql %s: %w", j.Args[0], err)
		case cmd.ProcessState.ExitCode() != j.Exit:
			return tally{}, fmt.Errorf("rxcql %s: %v, and not %d: %s", strings.Join(j.Args, " "), cmd.ProcessState, j.Exit, said.String())
		}
		return tally{Rows: j.Rows}, nil
	}, func() {}, nil
})

// commandEnv tells the command where the server is.
func commandEnv(ctx context.Context) ([]string, error) {
	cluster, err := cassandra.Start(ctx)
	if err != nil {
		return nil, err
	}
	return append(os.Environ(), loginEnv(cluster)...), nil
}

func loginEnv(cluster *cassandra.Cluster) []string {
	env := []string{"RXCQL_HOSTS=" + strings.Join(cluster.Hosts(), ",")}
	if user, password := cluster.Login(); user != "" {
		env = append(env, "RXCQL_USER="+user, "RXCQL_PASSWORD="+password)
	}
	return env
}

// rxcqlArgs are those of a verb, which shows no progress.
func rxcqlArgs(verb string, args ...string) []string {
	return append([]string{verb, "--progress", "none"}, args...)
}

// cqlshColumns and cqlshCells are what figures show in which the command stands next to cqlsh.
var cqlshColumns = []string{
	"contender", "rows a second", "ratio to cqlsh", "wanted", "client CPU, ns a row", "ratio to cqlsh",
	"peak memory of all its processes, MB", "ratio to cqlsh", "wanted", "peak RSS of the largest, MB", "wanted",
}

// cqlshCells compares with a baseline of cqlsh, which is nil if there is no cqlsh.
func cqlshCells(label, wanted string, runs, baseline []outcome) []string {
	against, most, largest := func(func(outcome) float64) string { return "–" }, "", ""
	switch {
	case baseline == nil:
	case &baseline[0] == &runs[0]:
		against = func(func(outcome) float64) string { return "1" }
	default:
		against = func(value func(outcome) float64) string { return "**" + ratio(runs, baseline, value).ratio() + "**" }
		most, largest = "≤ 1", "< 100"
	}
	together, againstTogether := each(runs, group).megabytes(), against(group)
	if runs[0].Group == 0 { // there is no /proc
		together, againstTogether = "–", "–"
	}
	return []string{
		label, each(runs, rowsASecond).in("%.0f", 1), against(rowsASecond), wanted,
		each(runs, perRow).nanos(), against(perRow), together, againstTogether, most,
		each(runs, peak).megabytes(), largest,
	}
}

func rowsASecond(o outcome) float64 { return float64(o.Rows) / o.Wall.Seconds() }
