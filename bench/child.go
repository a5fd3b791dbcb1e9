package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"
)

// job is what a child process is told to do.
type job struct {
	Keyspace   string   `json:"keyspace,omitempty"`
	Table      string   `json:"table,omitempty"`
	Target     string   `json:"target,omitempty"` // of a copy
	Rows       int64    `json:"rows,omitempty"`
	Budget     int64    `json:"budget,omitempty"`     // bytes, 0 for the default
	Bare       bool     `json:"bare,omitempty"`       // without the operators, to be subtracted
	Checkpoint string   `json:"checkpoint,omitempty"` // file; empty for none
	Keys       int64    `json:"keys,omitempty"`       // of windows
	InFlight   int      `json:"inFlight,omitempty"`   // requests out at once
	Partitions int      `json:"partitions,omitempty"` // in a batch
	Bytes      int      `json:"bytes,omitempty"`      // in a batch
	Command    string   `json:"command,omitempty"`    // the program that does the work
	Args       []string `json:"args,omitempty"`       // of the program
	Exit       int      `json:"exit,omitempty"`       // what the program has to exit with
	Profile    string   `json:"profile,omitempty"`    // path without extension; empty for none
}

// outcome is what it reports. Time and allocations are those of the work alone;
// the process has started and connected before.
type outcome struct {
	tally
	CPU     time.Duration `json:"cpu"` // user and system, of all threads
	Wall    time.Duration `json:"wall"`
	Peak    int64         `json:"peak"` // resident bytes, of the whole process
	Mallocs uint64        `json:"mallocs"`
	Alloc   uint64        `json:"alloc"`
	GCs     uint32        `json:"gcs"`
	Held    int64         `json:"held,omitempty"`  // bytes of the heap when the work holds most, where that is measured
	Group   int64         `json:"group,omitempty"` // bytes of all processes of a command together, where that is measured
	PerRow  float64       `json:"-"`               // CPU seconds
}

// tally proves that a run did the work: contenders of one figure must agree.
type tally struct {
	Rows int64 `json:"rows"`
	Sum  int64 `json:"sum"`
}

func (t *tally) add(o tally) { t.Rows, t.Sum = t.Rows+o.Rows, t.Sum+o.Sum }

// work is a contender: prepare connects and the like, and returns what is measured.
type work func(ctx context.Context, j job) (run func() (tally, error), done func(), err error)

// children are all contenders by name; the files of the figures add theirs.
var children = map[string]work{}

func register(name string, w work) string {
	children[name] = w
	return name
}

// serve is the child process's side.
func serve(ctx context.Context, name string, in io.Reader, out io.Writer) error {
	w, found := children[name]
	if !found {
		return fmt.Errorf("-child: no contender %q", name)
	}
	var j job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		return fmt.Errorf("-child: reading the job: %w", err)
	}
	run, done, err := w(ctx, j)
	if err != nil {
		return err
	}
	defer done()
	o, err := measure(j.Profile, run)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(o)
}

// profileRuns is how often the work is done for a profile: at a hundred samples
// a second once shows little.
const profileRuns = 5

func measure(profile string, run func() (tally, error)) (o outcome, err error) {
	runtime.GC() // what connecting left behind is not the work's to collect
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	stop, err := profiling(profile)
	if err != nil {
		return o, err
	}
	cpu, start := cpuTime(), time.Now()
	o.tally, err = run()
	for i := 1; i < profileRuns && profile != "" && err == nil; i++ {
		o.tally, err = run()
	}
	o.CPU, o.Wall = cpuTime()-cpu, time.Since(start)
	if err != nil {
		return o, err
	}
	if err := stop(); err != nil {
		return o, err
	}
	runtime.ReadMemStats(&after)
	o.Mallocs, o.Alloc, o.GCs = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc, after.NumGC-before.NumGC
	o.Held, o.Group = heapHeld, groupHeld
	o.Peak, err = peakMemory()
	return o, err
}

func profiling(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path + ".cpu.pprof")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			return err
		}
		g, err := os.Create(path + ".allocs.pprof")
		if err != nil {
			return err
		}
		if err := pprof.Lookup("allocs").WriteTo(g, 0); err != nil {
			return err
		}
		return g.Close()
	}, nil
}

// spawn runs a contender in a process of its own, so that its garbage
// collector, memory and CPU time are its alone.
func (b *bench) spawn(ctx context.Context, name string, j job) (o outcome, err error) {
	self, err := os.Executable()
	if err != nil {
		return o, err
	}
	cmd := exec.CommandContext(ctx, self, "-child", name)
	cmd.Env = append(os.Environ(), b.server.env()...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return o, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return o, err
	}
	if err := cmd.Start(); err != nil {
		return o, err
	}
	sent := json.NewEncoder(stdin).Encode(j)
	stdin.Close()
	read := json.NewDecoder(stdout).Decode(&o)
	if err := cmd.Wait(); err != nil {
		return o, fmt.Errorf("contender %s: %w", name, err)
	}
	if err := errors.Join(sent, read); err != nil {
		return o, fmt.Errorf("contender %s: talking to the child: %w", name, err)
	}
	if j.Rows > 0 {
		o.PerRow = o.CPU.Seconds() / float64(j.Rows)
	}
	return o, nil
}

// profilePath is where the profiles of a contender go, "" for nowhere. A figure may have the same
// contender with several numbers of requests in flight.
func (b *bench) profilePath(figure string, c contender) (string, error) {
	if b.profile == "" {
		return "", nil
	}
	name := figure + "-" + c.child
	if c.job.InFlight > 0 {
		name += fmt.Sprintf("-%d", c.job.InFlight)
	}
	return filepath.Abs(filepath.Join(b.profile, name))
}
