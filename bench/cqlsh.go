package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var errNoCQLSH = errors.New("there is no cqlsh (README.md says how to get one)")

// cqlshTimeout ends a cqlsh that hangs.
const cqlshTimeout = 30 * time.Minute

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

// cqlshNote says which cqlsh it was, or why there is none.
func cqlshNote(path string, missing error) string {
	if missing != nil {
		return "Left out: cqlsh, since " + missing.Error() + "."
	}
	version, err := exec.Command(path, "--version").Output()
	if err != nil {
		return "The version of cqlsh is not known: " + err.Error() + "."
	}
	return "Compared with " + strings.TrimSpace(string(version)) + " at its defaults. Its start is part of its run, as that of rxcql is. " +
		"Its CPU is that of all its processes. The memory of all processes is the largest sum of their PSS: a page that several " +
		"have counts once. It is looked at every 50 ms."
}

// runCQLSH has cqlsh carry out a statement, which is its only argument.
var runCQLSH = register("cqlsh", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
	cluster, err := cassandra.Start(ctx)
	if err != nil {
		return nil, nil, err
	}
	host, port, err := net.SplitHostPort(cluster.Hosts()[0])
	if err != nil {
		host, port = cluster.Hosts()[0], "9042"
	}
	args := append([]string{host, port, "-e"}, j.Args...)
	if user, password := cluster.Login(); user != "" {
		args = append([]string{"-u", user, "-p", password}, args...)
	}
	return func() (tally, error) {
		ctx, cancel := context.WithTimeout(ctx, cqlshTimeout)
		defer cancel()
		var said bytes.Buffer
		cmd := exec.CommandContext(ctx, j.Command, args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = os.TempDir(), &said, &said
		// Status 2 says that something was printed as an error, requests that were sent
		// again with success too. What counts is what was written, which is read back.
		var exit *exec.ExitError
		if err := runGroup(cmd); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 2 || ctx.Err() != nil) {
			return tally{}, fmt.Errorf("cqlsh: %w: %s", err, said.String())
		}
		return tally{Rows: j.Rows}, nil
	}, func() {}, nil
})
