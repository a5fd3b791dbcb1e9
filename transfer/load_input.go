package transfer

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/numbered"
	"github.com/rxcql/rxcql/operators"
)

// mostFiles is how many files one load reads; each is a source, with its part of the budget.
const mostFiles = 1000

// files lists what a path means: "-", a file, a pattern as filepath.Match has it, or a folder.
func (j *LoadJob) files() ([]string, error) {
	if j.path == stream {
		return []string{stream}, nil
	}
	info, err := os.Stat(j.path)
	var found []string
	switch {
	case err == nil && !info.IsDir():
		return []string{j.path}, nil
	case err == nil:
		found, err = j.inFolder()
	default:
		if found, err = filepath.Glob(j.path); err == nil && len(found) == 0 {
			err = fmt.Errorf("%s: %w", j.path, fs.ErrNotExist)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fmt.Errorf("%s has no file that can be loaded", j.path)
	case len(found) > mostFiles:
		return nil, fmt.Errorf("%s has %d files, and one load reads %d at most: load them in parts, by patterns", j.path, len(found), mostFiles)
	}
	slices.Sort(found)
	return found, nil
}

// inFolder lists the files of a folder: those of the format, if one was given, else those whose
// names say one. A file that an unload has not completed is an error, since its rows would be
// missing.
func (j *LoadJob) inFolder() (found []string, err error) {
	entries, err := os.ReadDir(j.path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := e.Name()
		path := filepath.Join(j.path, name)
		if e.IsDir() || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
			continue
		}
		if whole, cut := strings.CutSuffix(name, numbered.Unfinished); cut && j.fits(whole) {
			return nil, fmt.Errorf("%s is not complete: the unload that wrote it has ended early; let it go on, or remove that file", path)
		}
		if j.fits(name) {
			found = append(found, path)
		}
	}
	return found, nil
}

func (j *LoadJob) fits(name string) bool {
	for _, c := range []Compression{Gzip, Zstd} {
		name = strings.TrimSuffix(name, c.Extension())
	}
	if j.cfg.format != nil {
		return filepath.Ext(name) == j.cfg.format.Extension()
	}
	format, _ := byName(name)
	return format != nil
}

// formatOf returns the format of a file.
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
func (j *LoadJob) read(files []string, columns *loadColumns) rxcql.Stream[rxcql.Row] {
	lanes := make([][]rxcql.Stream[rxcql.Row], min(len(files), max(1, j.cfg.lanes())))
	for i, path := range files {
		lane := i % len(lanes)
		lanes[lane] = append(lanes[lane], j.one(path, columns))
	}
	var streams []rxcql.Stream[rxcql.Row]
	for _, lane := range lanes {
		if len(lane) == 1 {
			streams = append(streams, lane[0])
			continue
		}
		streams = append(streams, operators.Concat(lane...))
	}
	if len(streams) == 1 {
		return streams[0]
	}
	return operators.Merge(streams...)
}

func (c *config) lanes() int {
	if c.workers > 0 {
		return c.workers
	}
	return rxcql.DefaultWorkers
}

func (j *LoadJob) one(path string, columns *loadColumns) rxcql.Stream[rxcql.Row] {
	in := Input{Path: path, Columns: columns.inFiles, IgnoreUnknown: j.cfg.ignore}
	if path == stream {
		from := j.cfg.stdin
		if from == nil {
			from = os.Stdin
		}
		in.Path = "standard input"
		in.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(from), nil }
	}
	return j.formatOf(path).Read(in)
}
