package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// files is the description of a source that reads several files. Runs do not change it.
type files[T any] struct {
	patterns []string
	cfg      fileConfig
	format   format[T]
}

func filesSource[T any](kind string, patterns []string, cfg fileConfig, format format[T], err error) rxcql.Stream[T] {
	if len(patterns) == 0 {
		err = errors.Join(errors.New("no files are named: give at least one pattern or path"), err)
	}
	names := make([]string, len(patterns))
	for i, pattern := range patterns {
		names[i] = filepath.Base(pattern)
		if _, bad := filepath.Match(pattern, ""); bad != nil || pattern == "" {
			err = errors.Join(err, fmt.Errorf("%q is not a pattern as filepath.Match has them", pattern))
		}
	}
	s := &files[T]{patterns: slices.Clone(patterns), cfg: cfg, format: format}
	info := rxcql.StageInfo{
		Name: kind + " files " + strings.Join(names, " "), Source: true, Files: s.patterns, Err: err, Check: s.check,
	}
	return rxcql.NewStream(info, s.run)
}

// unfinished ends the names of files that a sink has not completed.
const unfinished = ".part"

// paths returns the files, in the order of their names, each once.
func (s *files[T]) paths() (paths []string, err error) {
	var errs []error
	for _, pattern := range s.patterns {
		found, err := filepath.Glob(pattern)
		switch {
		case err != nil:
			errs = append(errs, err)
		case len(found) == 0:
			errs = append(errs, fmt.Errorf("%w: no file matches %s", rxcql.ErrSchema, pattern))
		}
		for _, path := range found {
			if strings.HasSuffix(path, unfinished) {
				errs = append(errs, fmt.Errorf("%w: %s is not complete: another run writes it, or has failed; remove it, or name the files by their ending",
					rxcql.ErrSchema, path))
			}
		}
		paths = append(paths, found...)
	}
	slices.Sort(paths)
	return slices.Compact(paths), errors.Join(errs...)
}

// check opens the first file.
func (s *files[T]) check(ctx context.Context) error {
	paths, err := s.paths()
	if err != nil {
		return err
	}
	r, err := s.open(ctx, paths[0], s.cfg)
	if err != nil {
		return err
	}
	return r.close()
}

func (s *files[T]) open(ctx context.Context, path string, cfg fileConfig) (*fileReader[T], error) {
	return openFile(ctx, path, nil, cfg.maxLine, cfg.latin1(), s.format(ctx, cfg))
}

// run reads the files with as many workers as the run has.
func (s *files[T]) run(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
	paths, err := s.paths()
	if err != nil {
		return st.Fail(err)
	}
	cfg := s.cfg
	if cfg.about, err = cfg.table(ctx); err != nil { // once for all files
		return st.Fail(err)
	}
	done, begun, err := st.Resume(rxcql.Identity{Facts: cfg.filesFacts(paths)})
	if err != nil {
		return err
	}
	r := &reading[T]{workers: st.Run().Workers()}
	r.reader = func(st *rxcql.Stage, buffers buffers[T]) partReader[T] {
		return &filePart[T]{files: s, cfg: cfg, paths: paths, st: st, buffers: buffers, size: rxcql.SizeFunc[T]()}
	}
	add := func(span flow.TokenRange, track *flow.Track) {
		r.parts = append(r.parts, part{index: len(r.parts), name: filepath.Base(paths[span.Start]), span: span, track: track})
	}
	for _, track := range begun {
		add(track.Range(), track)
	}
	all := make([]flow.TokenRange, len(paths))
	for i := range paths {
		all[i] = flow.TokenRange{Start: int64(i), End: int64(i) + 1}
	}
	for _, span := range flow.Remaining(all, done, begun) {
		add(span, nil)
	}
	return r.run(ctx, st, out)
}

// filesFacts is what must be the same for a job to go on.
func (c *fileConfig) filesFacts(paths []string) []rxcql.Fact {
	hash := sha256.New()
	for _, path := range paths {
		fmt.Fprintf(hash, "%s\x00", filepath.Base(path))
	}
	facts := []rxcql.Fact{
		{Name: "files", Value: fmt.Sprintf("%d, with names of the hash %s", len(paths), hex.EncodeToString(hash.Sum(nil)[:8]))},
		{Name: "null text", Value: fmt.Sprintf("%q", c.null)},
		{Name: "columns given", Value: joined(c.header)},
	}
	facts = append(facts, c.dialectFacts()...)
	if c.about != nil {
		facts = append(facts, typesFact(tableColumns(c.about)))
	}
	return facts
}
