package verbs

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/gocql/gocql"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/connect"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/show"
)

// shared is what all commands are made with.
type shared struct {
	program *Program
	signals *Signals
	code    *int
}

// verb is a command that works on tables.
type verb struct {
	*shared
	*cobra.Command
	sides    []string       // the names of its sides; one empty name if it has only one
	own      *pflag.FlagSet // the flags that no other verb has in this way
	run      runFlags
	connects *connect.Flags

	// tasks makes the jobs, once there are sessions. What it returns as an error is wrong with the
	// arguments: nothing has been read or written.
	tasks func(ctx context.Context, r *run, args []string) ([]fleet.Task, error)
	// check refuses flags that are not for the verb; hidden names those that others have.
	check  func() error
	hidden []string
	// files: the arguments are files, and no tables. readsOnly: no rows are written.
	files, readsOnly bool
	// goesOn reports whether a run that was interrupted goes on.
	goesOn func() bool
	// anew adds what the next run needs if this one cannot go on.
	anew func() string
	// dataOut reports whether standard output is for data, so that texts go to standard error.
	dataOut func() bool
}

// run is one run of a verb.
type run struct {
	verb     *verb
	settings *settings
	sessions map[string]*gocql.Session // by side
	servers  map[string]connect.Server
	resolved map[string]connect.Side

	// unfinished names the tables that are not complete, in the folder of an unload of several; else
	// nil. filesOf finds the files of one of them.
	unfinished *tablesMissing
	filesOf    func(table string) []string
}

func (s *shared) verb(cmd *cobra.Command, sides ...string) *verb {
	v := &verb{shared: s, Command: cmd, sides: sides, own: pflag.NewFlagSet(cmd.Name(), pflag.ContinueOnError)}
	if len(sides) == 0 {
		v.sides = []string{""}
	}
	v.connects = connect.NewFlags(s.program.Getenv, sides...)
	v.dataOut = func() bool { return false }
	v.anew = func() string { return "" }
	v.check = func() error {
		if v.run.restart && v.run.checkpoint == "" {
			return errors.New("--restart: there is nothing to forget without --checkpoint")
		}
		return nil
	}
	v.goesOn = func() bool { return v.run.checkpoint != "" }
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		report := v.newReport()
		defer func() {
			if p := recover(); p != nil {
				err = report.fault(fleet.Fault(p))
			}
			*s.code = report.ExitCode
		}()
		return v.execute(cmd.Context(), args, report)
	}
	return v
}

// command adds the flags, after those of the verb's own are there, and returns the command.
func (v *verb) command() *cobra.Command {
	common := pflag.NewFlagSet("run", pflag.ContinueOnError)
	v.run.add(common)
	for _, name := range v.hidden {
		common.Lookup(name).Hidden = true
	}
	for _, set := range []*pflag.FlagSet{v.own, common, v.connects.Every, v.connects.Each} {
		set.SortFlags = false
		v.Flags().AddFlagSet(set)
	}
	v.Flags().SortFlags = false
	complete(v.Command, v.files)
	v.SetUsageFunc(func(cmd *cobra.Command) error { return v.usage(cmd, common) })
	return v.Command
}

// execute runs the verb from its flags to its report.
func (v *verb) execute(ctx context.Context, args []string, report *report) (err error) {
	r, err := v.prepare(ctx)
	if err != nil {
		return report.usage(err)
	}
	forget := func(context.Context) error { return nil }
	defer func() { // last of all: what a process that is killed before this had done counts
		if wrong := forget(ctx); wrong != nil {
			report.ExitCode, err = fleet.ExitFailed, fmt.Errorf("what the run has kept cannot be removed: %w", wrong)
		}
	}()
	defer r.close(ctx)
	report.servers(r)
	tasks, err := v.tasks(ctx, r, args)
	if err != nil {
		return report.usage(err)
	}
	if v.run.dryRun {
		return report.plans(ctx, tasks)
	}
	if r.unfinished != nil {
		names := make([]string, len(tasks))
		for i, t := range tasks {
			names[i] = t.Table
		}
		if err := r.unfinished.begin(names, r.filesOf); err != nil {
			return report.usage(fmt.Errorf("--out: %w", err))
		}
	}
	screen := show.New(v.program.Err, v.run.progress)
	f := fleet.New(tasks, fleet.Config{AtOnce: v.run.tablesAtOnce, FailFast: v.run.failFast, Ended: func(o fleet.Outcome) {
		if len(tasks) > 1 {
			screen.Ended(oneLine(o), o.Status == fleet.Done)
		}
	}})
	over := v.signals.stoppable(func() {
		f.Stop()
		screen.Printf("stopping: what has been read is written first; a second signal gives it up\n")
	})
	var outcomes []fleet.Outcome
	screen.Show(ctx, show.View{Progress: f.Progress, Run: r.about}, func() { outcomes = f.Run(ctx) })
	over()
	if r.unfinished != nil {
		if wrong := r.unfinished.end(outcomes, r.filesOf); wrong != nil {
			last := &outcomes[len(outcomes)-1]
			last.Status, last.Error = fleet.Failed, fmt.Sprintf("the folder still says that tables are missing: %v", wrong)
		}
	}
	written, err := report.outcomes(outcomes)
	if written {
		forget = f.Forget
	}
	return err
}

// prepare reads the flags and connects to all sides. One error says everything that is wrong.
func (v *verb) prepare(ctx context.Context) (*run, error) {
	r := &run{verb: v, sessions: map[string]*gocql.Session{}, servers: map[string]connect.Server{}, resolved: map[string]connect.Side{}}
	var errs []error
	var err error
	r.settings, err = v.run.read()
	errs = append(errs, err, v.check())
	for _, side := range v.sides {
		resolved, err := v.connects.Resolve(side, v.program.Ask)
		errs = append(errs, err)
		r.resolved[side] = resolved
	}
	if dir := v.run.checkpoint; dir != "" && !v.run.dryRun {
		errs = append(errs, os.MkdirAll(dir, 0o700))
	}
	errs = append(errs, v.canReport())
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	opened := make([]*gocql.Session, len(v.sides))
	about := make([]connect.Server, len(v.sides))
	failed := make([]error, len(v.sides))
	var group errgroup.Group
	for i, name := range v.sides {
		group.Go(func() error {
			side := r.resolved[name]
			opened[i], about[i], failed[i] = side.Open(ctx)
			return nil
		})
	}
	_ = group.Wait() // errors are in failed
	for i, name := range v.sides {
		r.servers[name] = about[i]
		if opened[i] != nil {
			r.sessions[name] = opened[i]
		}
	}
	if err := errors.Join(failed...); err != nil {
		r.close(ctx)
		return nil, err
	}
	return r, nil
}

// close closes the sessions and the log. If ctx has been cancelled the sessions are left to the end
// of the program: the driver's Close waits for its heartbeat, which a server that does not answer
// holds up for the whole timeout of a request.
func (r *run) close(ctx context.Context) {
	for _, session := range r.sessions {
		if ctx.Err() == nil {
			session.Close()
		}
	}
	if err := r.settings.close(); err != nil {
		fmt.Fprintf(r.verb.program.Err, "rxcql: --log: %v\n", err)
	}
}

// about says more of a run that goes on: requests in flight, and what the governor does.
func (r *run) about() string {
	text := fmt.Sprintf("%d requests in flight", r.settings.gauge.InFlight())
	if g := r.settings.governor; g != nil {
		p99, limit := g.P99()
		if p99 > 0 {
			text += fmt.Sprintf(", p99 %v", p99)
		}
		if limit > 0 {
			text += fmt.Sprintf(", held to %s rows/s", show.Thousands(int64(limit)))
		}
	}
	return text
}
