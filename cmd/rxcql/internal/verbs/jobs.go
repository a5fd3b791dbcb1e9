package verbs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/tables"
	"github.com/rxcql/rxcql/transfer"
)

// place is where the job of a table has its checkpoint.
type place struct {
	name string // of the job
	base string // of its files, without an ending; empty without --checkpoint
	once bool   // the job cannot go on in the middle
	// saving says more of the checkpoint.
	saving []rxcql.CheckpointOption
}

// positions is the file of the checkpoint.
func (p place) positions() string { return p.base + ".checkpoint" }

// unsaved is the place of a job that cannot go on: its outcome is kept, and no positions.
func (p place) unsaved() place {
	p.once = true
	return p
}

// place returns the place of a job. table names it among those of the run; name says all that the
// job does, so that a checkpoint of another job is refused.
func (r *run) place(table, name string) place {
	if i, n := r.settings.shard, r.settings.of; n > 0 {
		name += fmt.Sprintf(", share %d of %d", i, n)
		table += fmt.Sprintf(".%d-of-%d", i, n)
	}
	p := place{name: r.verb.Name() + " " + name + r.verb.purpose()}
	if dir := r.verb.run.checkpoint; dir != "" {
		p.base = filepath.Join(dir, url.PathEscape(table))
	}
	return p
}

// settled are flags of verbs that do not change what a job does with a row, or that the place of
// the job tells: a run that goes on may have others.
var settled = []string{
	"create", "lossy", "replace", "bad", "max-errors", "pause", "rereads", "max-candidates", "out", "from", "file",
	"spread", "spread-partitions", "spread-bytes",
}

// purpose tells jobs apart by the flags of the verb that were given. They are hashed, since a
// constant is a value of rows.
func (v *verb) purpose() string {
	sum, given := sha256.New(), false
	v.own.VisitAll(func(f *pflag.Flag) { // in the order of the names
		asDefault := f.Value.Type() == "bool" && f.Value.String() == f.DefValue // --times=false says nothing new
		if f.Changed && !asDefault && !slices.Contains(settled, f.Name) {
			given = true
			fmt.Fprintf(sum, "%s=%q;", f.Name, f.Value.String())
		}
	})
	if !given {
		return ""
	}
	return fmt.Sprintf(", flags %x", sum.Sum(nil)[:6])
}

// options returns the options of a job that reads tables by token ranges, and of any other.
func (r *run) options(p place) (all []transfer.Option, ranges []transfer.RangeOption) {
	all = append(all, transfer.WithWorkers(r.verb.run.workers), transfer.WithRun(r.settings.options...))
	if r.settings.rate != nil {
		all = append(all, transfer.WithRate(r.settings.rate))
	}
	if p.base != "" && !p.once {
		all = append(all, transfer.WithCheckpoint(checkpoint.File(p.positions()), p.name, p.saving...))
	}
	if r.verb.run.splits > 0 {
		ranges = append(ranges, transfer.WithSplits(r.verb.run.splits))
	}
	if r.settings.of > 0 {
		ranges = append(ranges, transfer.WithShard(r.settings.shard, r.settings.of))
	}
	return all, ranges
}

// task makes the task of a job that was made without an error. place may be nil.
func task(table, name string, place *kept.Place, job fleet.Job, err error) (fleet.Task, error) {
	if err != nil {
		return fleet.Task{}, fmt.Errorf("%s: %w", table, err)
	}
	return fleet.Task{Table: table, Name: name, Job: job, Kept: place}, nil
}

// find returns the tables that the arguments mean on a side, the largest first if they take turns.
func (r *run) find(ctx context.Context, side string, args []string) ([]tables.Found, error) {
	found, err := tables.Find(ctx, r.sessions[side], args, r.verb.run.except)
	if err == nil && len(found) > 1 {
		tables.LargestFirst(ctx, r.sessions[side], found)
	}
	return found, err
}

// each makes a task for each table; one error says everything that is wrong.
func each(found []tables.Found, task func(tables.Found) (fleet.Task, error)) (all []fleet.Task, err error) {
	for _, f := range found {
		t, wrong := task(f)
		err = errors.Join(err, wrong)
		all = append(all, t)
	}
	return all, err
}

// targets returns, for each table, the name that it has on the other side: the same one, or by --to
// the same name in another keyspace, or one other table.
func targets(found []tables.Found, to string) (map[tables.Name]tables.Name, error) {
	names := map[tables.Name]tables.Name{}
	target := tables.Name{}
	if to != "" {
		var err error
		if target, err = tables.Parse(to); err != nil {
			return nil, fmt.Errorf("--to: %w", err)
		}
	}
	if target.Table != "" && len(found) > 1 {
		return nil, fmt.Errorf("--to %s is one table, and there are %d to work on: give a keyspace", to, len(found))
	}
	taken := map[tables.Name]tables.Name{}
	for _, f := range found {
		n := f.Name
		if target.Keyspace != "" {
			n.Keyspace = target.Keyspace
		}
		if target.Table != "" {
			n.Table = target.Table
		}
		if other, twice := taken[n]; twice {
			return nil, fmt.Errorf("--to %s: both %s and %s would be %s; run them apart, to different keyspaces", to, other, f.Name, n)
		}
		taken[n], names[f.Name] = f.Name, n
	}
	return names, nil
}

// apart refuses tables whose source is their target: the same name on both sides, and both sides
// one cluster, whatever addresses they were given by.
func (r *run) apart(names map[tables.Name]tables.Name) error {
	from, to := r.servers[source], r.servers[target]
	if !from.SameCluster(&to) {
		return nil
	}
	var same []string
	for n, other := range names {
		if n == other {
			same = append(same, n.String())
		}
	}
	if len(same) == 0 {
		return nil
	}
	slices.Sort(same)
	return fmt.Errorf("both sides are one cluster (%s, at %s and at %s), so these tables are source and target at once: %s: "+
		"look at the hosts of both sides, or give --to", from.Cluster, strings.Join(from.Hosts, ","), strings.Join(to.Hosts, ","), strings.Join(same, ", "))
}
