package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// rollupClient keeps a connection for each of those that post.
var rollupClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// rollupService is examples/rollup, in a process of its own.
type rollupService struct {
	url      string
	keyspace string
	cmd      *exec.Cmd
	log      *bytes.Buffer
}

// buildRollup builds the program in its own module, of which this one has not all that it needs.
func buildRollup(ctx context.Context) (program string, remove func(), err error) {
	folder, err := os.MkdirTemp("", "rxcql-bench-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(folder) } // it is in the folder for what may be removed at any time
	program = filepath.Join(folder, "rollup")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./examples/rollup")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		remove()
		return "", nil, fmt.Errorf("building examples/rollup: %w: %s", err, out)
	}
	return program, remove, nil
}

// startRollup starts the service in a keyspace of its own, and returns when it serves.
func (b *bench) startRollup(ctx context.Context, program, name string, args ...string) (_ *rollupService, err error) {
	keyspace := b.server.keyspace + "_" + name
	if err := b.server.exec(ctx, "CREATE KEYSPACE "+keyspace+" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"); err != nil {
		return nil, err
	}
	b.server.others = append(b.server.others, keyspace)
	args = append([]string{"--hosts", strings.Join(b.server.cluster.Hosts(), ","), "--keyspace", keyspace, "--listen", "127.0.0.1:0"}, args...)
	s := &rollupService{keyspace: keyspace, cmd: exec.CommandContext(ctx, program, args...), log: &bytes.Buffer{}}
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	address, found := strings.CutPrefix(strings.TrimSpace(line), "serving ")
	if !found {
		return nil, s.stop(errors.Join(err, errors.New("the service does not serve")))
	}
	s.url = address
	return s, nil
}

// stop ends the service in order, and adds what it said to an error.
func (s *rollupService) stop(failed error) error {
	rollupClient.CloseIdleConnections()
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	if err = errors.Join(failed, err, s.cmd.Wait()); err != nil {
		return fmt.Errorf("%w; the service said: %s", err, s.log)
	}
	return nil
}

// get asks for a path, and calls fn with each line of the answer.
func (s *rollupService) get(ctx context.Context, path string, fn func(line string) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return err
	}
	answer, err := rollupClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, answer.Status)
	}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if err := fn(lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// metric is a metric's value now; 0 if it is not there yet.
func (s *rollupService) metric(ctx context.Context, name string) (value float64, err error) {
	err = s.get(ctx, "/metrics", func(line string) error {
		if text, found := strings.CutPrefix(line, name+" "); found {
			_, err := fmt.Sscan(text, &value)
			return err
		}
		return nil
	})
	return value, err
}

// counted is how many readings are in windows that ended in a range of time.
func (s *rollupService) counted(ctx context.Context, from, until time.Time) (n int64, err error) {
	query := url.Values{"from": {from.Format(time.RFC3339)}, "until": {until.Format(time.RFC3339)}}
	err = s.get(ctx, "/rollups?"+query.Encode(), func(line string) error {
		var row struct{ Readings int64 }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			return err
		}
		n += row.Readings
		return nil
	})
	return n, err
}

// peak is the most resident memory that the service has had, in MB; a dash without a /proc.
func (s *rollupService) peak() (string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if errors.Is(err, os.ErrNotExist) {
		return "–", nil
	}
	if err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return "", fmt.Errorf("VmHWM: %w", err)
	}
	return fmt.Sprintf("%.0f", kib*1024/1e6), nil
}
