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

// folder returns the folder of a table's job, which goes on from there. With --restart it is
// removed first.
func (r *run) folder(out, table string) (string, error) {
	if i, n := r.settings.shard, r.settings.of; n > 0 {
		table += fmt.Sprintf(".%d-of-%d", i, n)
	}
	folder := filepath.Join(out, url.PathEscape(table))
	if r.verb.run.restart && !r.verb.run.dryRun {
		return folder, os.RemoveAll(folder)
	}
	return folder, nil
}

// ended reports whether the job of a folder has come to its end in an earlier run.
func ended(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "report.json"))
	return err == nil
}

// goesOnByItself refuses flags that are for verbs whose jobs have no folder of their own.
func (v *verb) goesOnByItself(alsoNot ...string) {
	v.goesOn = func() bool { return true }
	v.check = func() error {
		var errs []error
		for _, name := range append(alsoNot, "checkpoint") {
			if v.Flags().Changed(name) {
				errs = append(errs, fmt.Errorf("--%s is not for %s: it goes on from the folder of --out", name, v.Name()))
			}
		}
		return errors.Join(errs...)
	}
}
