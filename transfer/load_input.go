package transfer

import (
	"errors"
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
	letters  *letters // nil unless the file has bad records of an earlier load
}

// namesColumns reports whether each record names its own columns.
func (in inputFiles) namesColumns() bool {
	switch in.format.(type) {
	case ndjsonFormat, arrayFormat:
		return true
	}
	return in.letters != nil
}

// files lists what the path means.
func (j *LoadJob) files() (in inputFiles, err error) {
	if j.path == stream {
		return inputFiles{paths: []string{stream}, format: j.formatOf(j.path)}, nil
	}
	info, err := os.Stat(j.path)
	switch {
	case err == nil && info.IsDir():
		return j.inFolder()
	case err == nil && strings.HasSuffix(j.path, numbered.Unfinished):
		return in, errUnfinished(j.path)
	case err == nil:
		in = inputFiles{paths: []string{j.path}, format: j.formatOf(j.path)}
		if in.letters, err = lettersIn(j.path); in.letters != nil {
			if bad, missing := os.Stat(j.cfg.bad); missing == nil && os.SameFile(bad, info) {
				err = fmt.Errorf("BadRecords: %s is the file that is loaded: name another one", j.path)
			}
		}
		return in, err
	case !errors.Is(err, fs.ErrNotExist):
		return in, err
	}
	return j.byPattern()
}

// byPattern lists the files that a pattern means: one of filepath.Match, or one with a %d, to which
// files with numbers were unloaded.
func (j *LoadJob) byPattern() (in inputFiles, err error) {
	pattern := j.path
	if p, is := numbered.Named(j.path); is {
		if pattern, err = numberedOnly(p); err != nil {
			return in, err
		}
	}
	found, err := filepath.Glob(pattern)
	switch {
	case err != nil:
		return in, fmt.Errorf("%q is not a pattern as filepath.Match has them", j.path)
	case len(found) == 0:
		return in, fmt.Errorf("%s: %w", j.path, fs.ErrNotExist)
	}
	if parts, err := filepath.Glob(pattern + numbered.Unfinished); err == nil && len(parts) > 0 {
		return in, errUnfinished(parts[0])
	}
	in = inputFiles{paths: found, patterns: []string{pattern}, format: j.formatOf(pattern)}
	if named, _ := j.cfg.byName(pattern); j.cfg.format != nil || named != nil {
		return in, nil
	}
	var names []string
	for _, path := range found {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return in, fmt.Errorf("%s matches the folder %s: give a pattern of files", j.path, path)
		}
		names = append(names, filepath.Base(path))
	}
	if listed := j.sort(names); len(listed.formats) > 0 {
		in.format, _, err = listed.choose(j)
	}
	return in, err
}

// numberedOnly is a pattern that fits the files with numbers alone.
func numberedOnly(p numbered.Pattern) (string, error) {
	files, err := p.Existing()
	if err != nil {
		return "", err
	}
	pattern := p.Glob()
	found, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	for _, f := range files {
		found = slices.DeleteFunc(found, func(path string) bool { return path == f.Path })
	}
	if len(found) > 0 {
		return "", fmt.Errorf("%s is named nearly as the files with numbers are: give a pattern of the files to load", found[0])
	}
	return pattern, nil
}

// formatOf returns the format of a file, or of the files of a pattern.
func (j *LoadJob) formatOf(path string) Format {
	if j.cfg.format != nil {
		return j.cfg.format
	}
	if format, _ := j.cfg.byName(path); format != nil {
		return format
	}
	return plainCSV()
}

// read reads the files, several at a time. Rows for which check returns an error are bad records;
// nil checks nothing.
func (j *LoadJob) read(files inputFiles, columns *loadColumns, check func(rxcql.Row) error) rxcql.Stream[rxcql.Row] {
	in := Input{
		Path: files.paths[0], Patterns: files.patterns, Columns: columns.inFiles, IgnoreUnknown: columns.ignore, check: check,
	}
	if files.letters != nil {
		return files.letters.read(in, files.format, columns)
	}
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
