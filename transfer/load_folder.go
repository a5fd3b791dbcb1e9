package transfer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rxcql/rxcql/internal/numbered"
)

// inFolder lists the files of a folder. All of them are loaded, or none: a file of which it is not
// known what it is ends the load with its name, since its rows would be missing in silence. Left
// out are hidden files, and marks that other programs leave.
func (j *LoadJob) inFolder() (in inputFiles, err error) {
	entries, err := os.ReadDir(j.path)
	if err != nil {
		return in, err
	}
	if bad := j.cfg.bad; bad != "" && !hidden(filepath.Base(bad)) {
		if one, err := os.Stat(filepath.Dir(bad)); err == nil {
			if other, err := os.Stat(j.path); err == nil && os.SameFile(one, other) {
				return in, fmt.Errorf("BadRecords: %s is in the folder that is loaded, and would be loaded too: name a file elsewhere", bad)
			}
		}
	}
	var names, folders []string
	for _, e := range entries {
		name := e.Name()
		switch {
		case hidden(name), isMark(name):
		case e.IsDir():
			folders = append(folders, name+string(filepath.Separator))
		case strings.HasSuffix(name, numbered.Unfinished):
			return in, errUnfinished(filepath.Join(j.path, name))
		default:
			names = append(names, name)
		}
	}
	listed := j.sort(names)
	if listed.unknown = append(listed.unknown, folders...); len(listed.unknown) == 0 && len(listed.formats) == 0 {
		return in, fmt.Errorf("%s has no file that can be loaded", j.path)
	}
	format, chosen, err := listed.choose(j)
	if err == nil {
		err = allShares(j.path, chosen)
	}
	if err != nil {
		return in, err
	}
	in.format = format
	for _, name := range chosen {
		in.paths = append(in.paths, filepath.Join(j.path, name))
	}
	in.patterns = patternsOf(j.path, chosen, in.paths)
	return in, nil
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// isMark reports whether a file has no rows: other programs leave it in a folder that is complete.
func isMark(name string) bool {
	return slices.Contains([]string{"_SUCCESS", "_metadata", "_common_metadata"}, name) ||
		strings.HasPrefix(name, "_started_") || strings.HasPrefix(name, "_committed_")
}

// sorted are the names of files by what they say.
type sorted struct {
	formats map[string][]string // by the extension of the format
	known   map[string]Format
	unknown []string
}

func (j *LoadJob) sort(names []string) sorted {
	s := sorted{formats: map[string][]string{}, known: map[string]Format{}}
	for _, name := range names {
		format, _ := j.cfg.byName(name)
		if given := j.cfg.format; format == nil && given != nil && strings.HasSuffix(strings.ToLower(plain(name)), strings.ToLower(given.Extension())) {
			format = given
		}
		if format == nil {
			s.unknown = append(s.unknown, name)
			continue
		}
		of := format.Extension()
		s.formats[of], s.known[of] = append(s.formats[of], name), format
	}
	return s
}

// choose returns the format of all files, and their names. Where a format is given, files whose
// names say none are of it if their names end alike.
func (s sorted) choose(j *LoadJob) (format Format, names []string, err error) {
	format = j.cfg.format
	if format != nil && len(s.formats) == 0 && len(s.unknown) > 0 && endAlike(s.unknown) {
		return format, s.unknown, twice(s.unknown)
	}
	if len(s.unknown) > 0 {
		return nil, nil, fmt.Errorf("%s: it is not known what these are, and a load takes all files or none: %s; "+
			"move them away, or give a pattern of the files to load", j.path, some(s.unknown))
	}
	if format == nil {
		for _, format = range s.known {
		}
	}
	for of, others := range s.formats {
		if of != format.Extension() {
			if j.cfg.format == nil {
				return nil, nil, fmt.Errorf("%s has files of several formats: %s and %s: load those of one format by a pattern",
					j.path, some(s.formats[format.Extension()]), some(others))
			}
			return nil, nil, fmt.Errorf("%s has files of another format than %s: %s; move them away, or give a pattern of the files to load",
				j.path, format.Name(), some(others))
		}
		names = others
	}
	return format, names, twice(names)
}

// plain is a name without the end that says how the file is compressed.
func plain(name string) string {
	for _, c := range []Compression{Gzip, Zstd} {
		if end := c.Extension(); len(name) > len(end) && strings.EqualFold(name[len(name)-len(end):], end) {
			return name[:len(name)-len(end)]
		}
	}
	return name
}

// ending is the end of a name that says what the file is.
func ending(name string) string {
	inside := plain(name)
	return filepath.Ext(inside) + name[len(inside):]
}

// endAlike reports whether all names end alike, and are no names of folders.
func endAlike(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		return filepath.Ext(plain(name)) != filepath.Ext(plain(names[0])) || strings.HasSuffix(name, string(filepath.Separator))
	})
}

// twice refuses two files that differ only in the ends of their names: they are of two unloads.
func twice(names []string) error {
	seen := map[string]string{}
	for _, name := range names {
		stem := strings.TrimSuffix(name, ending(name))
		if other, is := seen[stem]; is {
			return fmt.Errorf("%s and %s differ only in the ends of their names, so they seem to be of two unloads: "+
				"remove those of the earlier one, or give a pattern of the files to load", other, name)
		}
		seen[stem] = name
	}
	return nil
}

// some names files, the first of them.
func some(names []string) string {
	const most = 10
	slices.Sort(names)
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// patternsOf returns patterns that fit these files of a folder alone: by the ends of the names, or
// else one for each file.
func patternsOf(folder string, names, paths []string) (patterns []string) {
	var found []string
	for _, name := range names {
		pattern := filepath.Join(numbered.Escaped(folder), "[^._]*"+numbered.Escaped(ending(name)))
		if !slices.Contains(patterns, pattern) {
			patterns = append(patterns, pattern)
			matched, _ := filepath.Glob(pattern) // it is a pattern, since what is in it is escaped
			found = append(found, matched...)
		}
	}
	slices.Sort(found)
	if want := slices.Sorted(slices.Values(paths)); slices.Equal(slices.Compact(found), want) {
		return patterns
	}
	patterns = nil
	for _, path := range paths {
		patterns = append(patterns, numbered.Escaped(path))
	}
	return patterns
}
