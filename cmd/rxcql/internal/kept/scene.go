package kept

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"time"
)

// Scene is what a job works on, as it is at a moment.
type Scene struct {
	Tables []Table `json:"tables"`
	// Inputs are the files that are read, as they were before the job began.
	Inputs []File `json:"inputs,omitempty"`
	// Outputs are the files that were written, as they were when the job was complete.
	Outputs []File `json:"outputs,omitempty"`
}

// Role is what a job does with a table. It decides what happens if the table is no longer the one
// that it was.
type Role string

// The roles.
const (
	// Origin: its rows go elsewhere. If it is another table now, nothing is begun anew without being
	// asked: what was written of it may be all that is left.
	Origin Role = "origin"
	// Goal: rows are written to it.
	Goal Role = "goal"
	// Subject: it is counted, or compared.
	Subject Role = "subject"
)

// Table is a table of a Scene.
type Table struct {
	Side    string   `json:"side,omitempty"`
	Name    string   `json:"name"`
	Role    Role     `json:"role"`
	ID      string   `json:"id,omitempty"` // empty if there is no such table yet
	Cluster string   `json:"cluster"`
	Nodes   []string `json:"nodes"` // their ids, as the cluster has them now

	// Empty reports whether it has no rows, and Truncated is when it was last emptied by TRUNCATE, in
	// this machine's time, as far as the server says so. They are looked at only where the role asks
	// for it.
	Empty     bool      `json:"-"`
	Truncated time.Time `json:"-"`
}

func (t *Table) String() string {
	if t.Side == "" {
		return t.Name
	}
	return "the " + t.Side + " " + t.Name
}

// sameCluster reports whether two looks at a table were at one cluster. Nodes come and go while a
// job is interrupted, so one in common is enough. The ids of tables do not tell: a cluster that was
// restored from another one has the same.
func (t *Table) sameCluster(now *Table) bool {
	return slices.ContainsFunc(now.Nodes, func(id string) bool { return slices.Contains(t.Nodes, id) })
}

// File is a file, as it is at a moment.
type File struct {
	Path     string    `json:"path"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
}

// Look looks at files. One that is not there, or is no file, is left out.
func Look(paths []string) (all []File) {
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			all = append(all, File{path, info.Size(), info.ModTime()})
		}
	}
	return all
}

// changed names a file that is not as it was; it is empty if all are.
func changed(was, now []File) string {
	for _, f := range was {
		switch i := slices.IndexFunc(now, func(g File) bool { return g.Path == f.Path }); {
		case i < 0:
			return f.Path + " is gone"
		case now[i].Size != f.Size || !now[i].Modified.Equal(f.Modified):
			return f.Path + " has changed"
		}
	}
	return ""
}

// added names a file that was not there; it is empty if there is none.
func added(was, now []File) string {
	for _, f := range now {
		if !slices.ContainsFunc(was, func(g File) bool { return g.Path == f.Path }) {
			return f.Path + " is new"
		}
	}
	return ""
}

// compare says why what was made with a scene does not count now: anew is why the table is begun
// anew, refused why nothing may go on. Both are empty if it counts. done: the job was complete, and
// rows says whether it had any.
func (was *Scene) compare(now *Scene, begun time.Time, done, rows bool) (anew string, refused error) {
	for i := range was.Tables {
		w := &was.Tables[i]
		j := slices.IndexFunc(now.Tables, func(t Table) bool { return t.Side == w.Side && t.Name == w.Name })
		if j < 0 {
			return "", fmt.Errorf("it was made with %s", w)
		}
		n := &now.Tables[j]
		switch {
		case !w.sameCluster(n):
			return "", fmt.Errorf("%s was that of another cluster (%s; this one is %s)", w, w.Cluster, n.Cluster)
		case w.ID != "" && w.ID != n.ID && w.Role == Origin:
			return "", fmt.Errorf("%s was dropped, and made again, since", w)
		case w.ID != "" && w.ID != n.ID:
			anew = fmt.Sprintf("%s was dropped since", w)
		case w.Role == Origin:
		case n.Truncated.After(begun):
			anew = fmt.Sprintf("%s was truncated since", w)
		case n.Empty && (done && rows || !done && w.Role == Goal):
			anew = fmt.Sprintf("%s is empty now", w)
		}
	}
	if why := cmp.Or(changed(was.Inputs, now.Inputs), added(was.Inputs, now.Inputs)); why != "" {
		anew = why
	}
	if done && len(was.Outputs) > 0 {
		if why := changed(was.Outputs, now.Outputs); why != "" {
			return "", fmt.Errorf("the files are not as they were written: %s", why)
		}
	}
	return anew, nil
}

// learn adds what was not known when the record was begun: tables that the job has made, and the
// nodes that the clusters have by now.
func (was *Scene) learn(now *Scene) {
	for i := range was.Tables {
		w := &was.Tables[i]
		for _, n := range now.Tables {
			if n.Side != w.Side || n.Name != w.Name {
				continue
			}
			if w.ID == "" {
				w.ID = n.ID
			}
			w.Nodes = n.Nodes
		}
	}
}
