package verbs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/tables"
	"github.com/rxcql/rxcql/internal/numbered"
)

// watched is a table that a job works on.
type watched struct {
	side string
	name tables.Name
	role kept.Role
}

// kept is where the outcome of a job with a checkpoint is kept, nil without --checkpoint. inputs
// and outputs list the files that it reads and writes; they may be nil.
func (r *run) kept(p place, on []watched, inputs, outputs func() []string) *kept.Place {
	if p.base == "" {
		return nil
	}
	place := &kept.Place{Job: p.name, File: p.base + ".job.json", Restart: r.verb.run.restart, Look: r.look(on, inputs, outputs)}
	if !p.once {
		place.Positions = p.positions()
	}
	return place
}

// keptIn is where the outcome of a job is kept that has a folder of its own, and results in it.
func (r *run) keptIn(folder, name string, on []watched) *kept.Place {
	return &kept.Place{
		Job: name, File: folder + ".job.json", Restart: r.verb.run.restart, Look: r.look(on, nil, nil),
		Positions: folder, Results: true, Ended: func() bool { return ended(folder) },
	}
}

// look returns what looks at the tables and files of a job.
func (r *run) look(on []watched, inputs, outputs func() []string) func(context.Context) (kept.Scene, error) {
	return func(ctx context.Context) (scene kept.Scene, err error) {
		for _, w := range on {
			state, err := tables.Look(ctx, r.sessions[w.side], w.name, w.role != kept.Origin)
			if err != nil {
				return scene, err
			}
			server := r.servers[w.side]
			scene.Tables = append(scene.Tables, kept.Table{
				Side: w.side, Name: w.name.String(), Role: w.role, ID: state.ID, Cluster: server.Cluster, Nodes: server.Nodes,
				Empty: state.Empty, Truncated: state.Truncated,
			})
		}
		if inputs != nil {
			scene.Inputs = kept.Look(inputs())
		}
		if outputs != nil {
			scene.Outputs = kept.Look(outputs())
		}
		return scene, nil
	}
}

// filesOf lists what the path of a load means: a file, a folder, or a pattern, also one with a
// number.
func filesOf(path string) (paths []string) {
	if info, err := os.Stat(path); err != nil {
		if p, is := numbered.Named(path); is {
			path = p.Glob()
		}
		paths, _ = filepath.Glob(path) // a pattern that is none is an error of the load
		return paths
	} else if !info.IsDir() {
		return []string{path}
	}
	entries, _ := os.ReadDir(path) // as above
	for _, e := range entries {
		paths = append(paths, filepath.Join(path, e.Name()))
	}
	return paths
}

// filesBy lists what an unload of a table has written at its path: a file, a pattern of numbered
// files, or the files of the table in a folder. Processes with other shares may write there too.
func (r *run) filesBy(path, table string) []string {
	pattern := numbered.Escaped(path)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if i, n := r.settings.shard, r.settings.of; n > 0 {
			table += fmt.Sprintf("-%dof%d", i, n)
		}
		pattern = filepath.Join(pattern, table+"-[0-9]*")
	} else if p, err := numbered.Parse(path); err == nil {
		pattern = p.Glob()
	}
	all, _ := filepath.Glob(pattern) // it is a pattern, since the path in it is escaped
	return slices.DeleteFunc(all, func(path string) bool { return strings.Contains(filepath.Base(path), numbered.Missing) })
}
