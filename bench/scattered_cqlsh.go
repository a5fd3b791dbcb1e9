package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var errNoCQLSH = errors.New("there is no cqlsh (pip install cqlsh, with Python 3.11; $CQLSH may name it)")

// copyFromTimeout ends a cqlsh that hangs.
const copyFromTimeout = 10 * time.Minute

// findCQLSH finds the tool that comes with Cassandra: $CQLSH, or cqlsh in the path.
func findCQLSH() (string, error) {
	name := os.Getenv("CQLSH")
	if name == "" {
		name = "cqlsh"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", errNoCQLSH
	}
	if err := exec.Command(path, "--version").Run(); err != nil {
		return "", fmt.Errorf("%s --version fails: %w", path, err)
	}
	return path, nil
}

// scatteredCopyFrom has cqlsh load the same rows from a CSV file with its defaults. Writing the
// file comes before the measurement; the start of cqlsh is part of it.
var scatteredCopyFrom = register("scattered-cqlsh", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
	cluster, err := cassandra.Start(ctx)
	if err != nil {
		return nil, nil, err
	}
	folder, err := os.MkdirTemp("", "rxcql-bench-")
	if err != nil {
		return nil, nil, err
	}
	done := func() { os.RemoveAll(folder) }
	file := filepath.Join(folder, "rows.csv")
	if err := writeScattered(file, j.Rows); err != nil {
		done()
		return nil, nil, err
	}
	host, port, err := net.SplitHostPort(cluster.Hosts()[0])
	if err != nil {
		host, port = cluster.Hosts()[0], "9042"
	}
	args := []string{host, port, "-e", fmt.Sprintf("COPY %s.%s (id, sensor, kind, at, note) FROM '%s'", j.Keyspace, j.Target, file)}
	if user, password := cluster.Login(); user != "" {
		args = append([]string{"-u", user, "-p", password}, args...)
	}
	return func() (tally, error) {
		ctx, cancel := context.WithTimeout(ctx, copyFromTimeout)
		defer cancel()
		var said bytes.Buffer
		cmd := exec.CommandContext(ctx, j.Command, args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = folder, &said, &said
		// Status 2 says that something was printed as an error, requests that were sent
		// again with success too. What counts is the table, which is read back.
		var exit *exec.ExitError
		if err := cmd.Run(); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 2 || ctx.Err() != nil) {
			return tally{}, fmt.Errorf("cqlsh: %w: %s", err, said.String())
		}
		return tally{Rows: j.Rows}, nil
	}, done, nil
})

func writeScattered(path string, rows int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for i := range rows {
		r := scatteredAt(i)
		fmt.Fprintf(w, "%d,%d,%d,%d,%s\n", r.ID, r.Sensor, r.Kind, r.At, r.Note)
	}
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
