package verbs

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/tables"
	"github.com/rxcql/rxcql/transfer"
)

// compareFlags are the flags of the verbs that compare two tables.
type compareFlags struct {
	to, out         string
	times           bool
	leaveOut        []string
	rename          []string
	writes, expires time.Duration
}

func (c *compareFlags) add(set *pflag.FlagSet, out string) {
	set.StringVar(&c.out, "out", "", out)
	set.StringVar(&c.to, "to", "", "the `keyspace` of the other side, or for one table that table (default: the same names)")
	set.BoolVar(&c.times, "times", false, "compare the write time and the expiry of each value too")
	set.StringSliceVar(&c.leaveOut, "leave-out", nil, "`columns` that are not compared; those that only one side has must be named here")
	set.StringArrayVar(&c.rename, "rename", nil, "`old=new`: a column of the source has another name at the target; as often as needed")
	set.DurationVar(&c.writes, "write-tolerance", transfer.DefaultWriteTolerance, "with --times: by how `much` write times may differ")
	set.DurationVar(&c.expires, "expiry-tolerance", transfer.DefaultExpiryTolerance, "with --times: by how `much` the expiry may differ")
}

func (c *compareFlags) options() (opts []transfer.CompareOption, err error) {
	var errs []error
	if c.out == "" {
		errs = append(errs, errors.New("--out: give a folder for what is found, and for how far the run is"))
	}
	if len(c.leaveOut) > 0 {
		opts = append(opts, transfer.LeaveOut(c.leaveOut...))
	}
	for _, r := range c.rename {
		old, name, found := strings.Cut(r, "=")
		if !found || old == "" || name == "" {
			errs = append(errs, fmt.Errorf("--rename %q: must be old=new", r))
			continue
		}
		opts = append(opts, transfer.Rename(old, name))
	}
	return append(opts, transfer.Tolerance(c.writes, c.expires)), errors.Join(errs...)
}

// folder returns the folder of a table's job, which goes on from there.
func (r *run) folder(out, table string) string {
	if i, n := r.settings.shard, r.settings.of; n > 0 {
		table += fmt.Sprintf(".%d-of-%d", i, n)
	}
	return filepath.Join(out, url.PathEscape(table))
}

// compared are the tables that diff and repair compare.
func compared(from, to tables.Name, of kept.Role) []watched {
	return []watched{{source, from, kept.Subject}, {target, to, of}}
}

// ended reports whether the job of a folder has come to its end in an earlier run.
func ended(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "report.json"))
	return err == nil
}

// there reports whether a job has made its folder, which it does when nothing refuses it.
func there(folder string) bool {
	_, err := os.Stat(folder)
	return err == nil
}

// goesOnByItself says that jobs of the verb go on from their own folders, without --checkpoint.
func (v *verb) goesOnByItself(alsoNot ...string) {
	v.goesOn = func() bool { return true }
	v.check = func() error { return nil }
	v.without("it goes on from the folder of --out", "checkpoint")
	v.without("it reads what a diff or a file names", alsoNot...)
}

// without refuses flags that are for other verbs, and leaves them out of the help.
func (v *verb) without(why string, names ...string) {
	before := v.check
	v.check = func() error {
		errs := []error{before()}
		for _, name := range names {
			if v.Flags().Changed(name) {
				errs = append(errs, fmt.Errorf("--%s is not for %s: %s", name, v.Name(), why))
			}
		}
		return errors.Join(errs...)
	}
	v.hidden = append(v.hidden, names...)
}
