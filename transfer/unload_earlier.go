package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rxcql/rxcql/internal/filesys"
	"github.com/rxcql/rxcql/internal/numbered"
)

// earlier is what earlier unloads left where this one writes, under names that it does not use
// itself: in another format, compressed in another way, or in other shares. A load of the folder
// would take their rows as well.
type earlier struct {
	folder string
	names  []string
}

// verb is where a name has its number.
var verb = regexp.MustCompile(`%0?([0-9]*)d`)

// before finds these files. What has the names of this unload is the sink's to see to: a job that
// goes on has made it.
func (j *UnloadJob) before() (e earlier, err error) {
	if j.out.Parallel == 0 {
		return e, nil
	}
	folder, base := filepath.Split(j.out.Path)
	at := verb.FindStringSubmatchIndex(base)
	if at == nil {
		return e, nil // the sink says so
	}
	prefix, suffix := base[:at[0]], base[at[1]:]
	if compressesInside(j.format) {
		suffix = plain(suffix)
	}
	ends := slices.Collect(maps.Keys(endings))
	for _, f := range append(slices.Clone(j.cfg.also), j.format) {
		ends = append(ends, f.Extension())
	}
	if !slices.Contains(ends, plain(suffix)) {
		return e, nil // names of the user's own
	}
	share := ""
	if j.folder != "" {
		prefix, share = plainName(j.from.name)+"-", "(?:([0-9]+)of([0-9]+)-)?"
	}
	for i, end := range ends {
		ends[i] = regexp.QuoteMeta(end)
	}
	digits := "[0-9]{" + strconv.Itoa(max(1, width(base[at[2]:at[3]]))) + ",}"
	fits := regexp.MustCompile("^" + regexp.QuoteMeta(prefix) + share + "(?:" + digits + `|%[0-9]*d|` + numbered.Missing + `)((?:` + strings.Join(ends, "|") + `)(?:\.gz|\.zst)?)(?:\.part)?$`)
	e.folder = filepath.Clean(folder)
	entries, err := os.ReadDir(e.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return e, nil
	}
	for _, entry := range entries {
		found := fits.FindStringSubmatch(entry.Name())
		if found == nil || entry.IsDir() {
			continue
		}
		if share != "" && j.cfg.of > 0 && found[2] == strconv.Itoa(j.cfg.of) && found[1] != strconv.Itoa(j.cfg.shard) {
			continue // another process writes it
		}
		sameShare := share == "" || j.cfg.of == 0 && found[1] == "" || j.cfg.of > 0 && found[2] == strconv.Itoa(j.cfg.of)
		if sameShare && found[len(found)-1] == suffix {
			continue
		}
		e.names = append(e.names, entry.Name())
	}
	return e, err
}

// width is the least number of digits.
func width(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 1
	}
	return n
}

// refuse returns an error unless they may be replaced.
func (e earlier) refuse(replace bool) error {
	if len(e.names) == 0 || replace {
		return nil
	}
	return fmt.Errorf("%s has files of an earlier unload, and a load of the folder would take the rows of both: %s: %w; "+
		"give Replace if they are not needed, or another folder", e.folder, some(e.names), fs.ErrExist)
}

// remove removes them.
func (e earlier) remove() error {
	for _, name := range e.names {
		if err := os.Remove(filepath.Join(e.folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if len(e.names) == 0 {
		return nil
	}
	return filesys.SyncFolder(e.folder)
}
