package transfer

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/numbered"
	"github.com/rxcql/rxcql/source"
)

// inputFiles are the files of a load.
type inputFiles struct {
	paths    []string // sorted
	patterns []string // nil for a single file
	format   Format
}

// files lists what the path means.
func (j *LoadJob) files() (in inputFiles, err error) {
	if j.path == stream {
		return inputFiles{paths: []string{stream}, format: j.formatOf(j.path)}, nil
	}
	info, err := os.Stat(j.path)
	switch {
	case err == nil && !info.IsDir():
		return inputFiles{paths: []string{j.path}, format: j.formatOf(j.path)}, nil
	case err == nil:
		return j.inFolder()
	}
	found, globErr := filepath.Glob(j.path)
	switch {
	case globErr != nil:
		return in, fmt.Errorf("%q is not a pattern as filepath.Match has them", j.path)
	case len(found) == 0:
		return in, fmt.Errorf("%s: %w", j.path, fs.ErrNotExist)
	}
	return inputFiles{found, []string{j.path}, j.formatOf(j.path)}, nil
}

// inFolder lists the files of a folder that are of the format that was given, else those whose
// names say one, which must be the same. A file that an unload has not completed is an error, since
// its rows would be missing.
func (j *LoadJob) inFolder() (in inputFiles, err error) {
	entries, err := os.ReadDir(j.path)
	if err != nil {
		return in, err
	}
	for _, e := range entries {
		name := e.Name()
		path := filepath.Join(j.path, name)
		whole, unfinished := strings.CutSuffix(name, numbered.Unfinished)
		format, ending := j.ending(whole)
		if e.IsDir() || format == nil || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
			continue
		}
		if unfinished {
			return in, fmt.Errorf("%s is not complete: the unload that wrote it has ended early; let it go on, or remove that file", path)
		}
		if in.format != nil && in.format.Name() != format.Name() {
			return in, fmt.Errorf("%s has files in %s and in %s: load those of one format, by WithFormat or by a pattern", j.path, in.format.Name(), format.Name())
		}
		in.format, in.paths = format, append(in.paths, path)
		pattern := filepath.Join(escaped(j.path), "[^._]*"+ending)
		if !slices.Contains(in.patterns, pattern) {
			in.patterns = append(in.patterns, pattern)
		}
	}
	if len(in.paths) == 0 {
		return in, fmt.Errorf("%s has no file that can be loaded; give WithFormat if their names do not say what they are", j.path)
	}
	return in, nil
}

// ending returns the format of a file in a folder, and the end of its name that says so. format is
// nil for a file that is not loaded.
func (j *LoadJob) ending(name string) (format Format, ending string) {
	rest := name
	for _, c := range []Compression{Gzip, Zstd} {
		rest = strings.TrimSuffix(rest, c.Extension())
	}
	ending = filepath.Ext(rest) + name[len(rest):]
	if f := j.cfg.format; f != nil {
		if filepath.Ext(rest) == f.Extension() {
			format = f
		}
		return format, ending
	}
	format, _ = byName(name)
	return format, ending
}

// escaped is a path as a pattern that only it fits.
func escaped(path string) string {
	var s strings.Builder
	for _, r := range path {
		if strings.ContainsRune(`*?[\`, r) {
			s.WriteByte('\\')
		}
		s.WriteRune(r)
	}
	return s.String()
}

// formatOf returns the format of a file, or of the files of a pattern.
func (j *LoadJob) formatOf(path string) Format {
	if j.cfg.format != nil {
		return j.cfg.format
	}
	if format, _ := byName(path); format != nil {
		return format
	}
	return plainCSV()
}

// read reads the files, several at a time.
func (j *LoadJob) read(files inputFiles, columns *loadColumns) rxcql.Stream[rxcql.Row] {
	in := Input{Path: files.paths[0], Patterns: files.patterns, Columns: columns.inFiles, IgnoreUnknown: j.cfg.ignore}
	if j.path == stream {
		in.Path = "standard input"
		if j.cfg.stdin != nil {
			in.Open = source.Once(j.cfg.stdin)
		} else {
			in.Open = source.Once(os.Stdin)
		}
	}
	return files.format.Read(in)
}
