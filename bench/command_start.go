package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

var commandStartFigure = figure{
	name:  "command-start",
	title: "from the start of rxcql to the first row",
	run: func(ctx context.Context, b *bench) (*table, error) {
		name, err := b.events(ctx)
		if err != nil {
			return nil, err
		}
		program, err := b.rxcql(ctx)
		if err != nil {
			return nil, err
		}
		var first []float64
		for n := range b.pairs + 1 {
			took, err := b.firstRow(ctx, program, name)
			if err != nil {
				return nil, err
			}
			if n > 0 {
				first = append(first, took.Seconds())
			}
		}
		t := &table{columns: []string{"rxcql unload to standard output", "to the first row, ms", "wanted"}}
		t.add(fmt.Sprintf("of %d rows", b.rows), spreadOf(first).in("%.0f", 1e-3), "< 300")
		return t, nil
	},
}

// firstRow starts an unload, waits for the first line that it writes, and ends it.
func (b *bench) firstRow(ctx context.Context, program, name string) (took time.Duration, err error) {
	cmd := exec.CommandContext(ctx, program, rxcqlArgs("unload", b.server.keyspace+"."+name, "--out", "-", "--header", "no")...)
	cmd.Env = append(os.Environ(), loginEnv(b.server.cluster)...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	_, err = bufio.NewReader(out).ReadString('\n')
	took = time.Since(begin)
	_ = cmd.Process.Kill() // it may have ended already
	var exit *exec.ExitError
	if waited := cmd.Wait(); waited != nil && !errors.As(waited, &exit) {
		err = errors.Join(err, waited)
	}
	if err != nil {
		err = fmt.Errorf("rxcql unload: %w: %s", err, said.String())
	}
	return took, err
}
