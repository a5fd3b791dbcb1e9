package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/filesys"
	"github.com/rxcql/rxcql/internal/numbered"
	"github.com/rxcql/rxcql/internal/tail"
)

// manyFiles is a sink that writes numbered files.
type manyFiles[T any] struct {
	format  string
	pattern numbered.Pattern
	cfg     fileConfig
	lines   func() lines[T]
	err     error
}

func newNumbered[T any](format, path string, cfg fileConfig, lines func() lines[T], errs ...error) rxcql.Sink[T] {
	pattern, err := numbered.Parse(path)
	if path == "" {
		err = nil // that is said already
	}
	cfg.parallel = max(cfg.parallel, 1)
	return &manyFiles[T]{format: format, pattern: pattern, cfg: cfg, lines: lines, err: stageError("sink."+format, append(errs, err)...)}
}

// name returns the name of the stage, without the folder, so that the files can be moved together.
func (s *manyFiles[T]) name() string { return s.format + " " + s.pattern.Base() }

// Info: when a job goes on, the files are cut to what was saved.
func (s *manyFiles[T]) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Err: s.err, Barrier: true, Stages: []string{s.name()}}
}

// Check checks that there is a folder for the files.
func (s *manyFiles[T]) Check(context.Context) error {
	if s.err != nil {
		return s.err
	}
	info, err := os.Stat(s.pattern.Folder())
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder", s.pattern.Folder())
	}
	if err != nil {
		return fmt.Errorf("sink.%s: %w", s.format, err)
	}
	return nil
}

// filesState is what a checkpoint has of numbered files.
type filesState struct {
	Next    int         `json:"next"` // the number of the next file
	Open    []openState `json:"open,omitempty"`
	Columns []string    `json:"columns,omitempty"`
}

// openState is a file that is not complete and has rows.
type openState struct {
	Number int `json:"number"`
	tail.Place
}

func (s *manyFiles[T]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	if s.err != nil {
		return nil, s.err
	}
	st := r.SinkStage(s.name())
	if facts := s.cfg.facts(); facts != nil {
		st.Identify(facts...)
	}
	var state *filesState
	if data := st.Restored(); data != nil {
		state = &filesState{}
		if err := json.Unmarshal(data, state); err != nil {
			return nil, st.Fail(fmt.Errorf("%w: where the files end cannot be read", rxcql.ErrCheckpointDamaged))
		}
	}
	lines := s.lines()
	if state != nil && state.Columns != nil {
		if err := lines.goOn(state.Columns); err != nil {
			return nil, st.Fail(err)
		}
	}
	files, err := s.openFiles(state, r)
	if err != nil {
		return nil, st.Fail(err)
	}
	w := newNumberedWriter(ctx, st, files, lines, s.cfg.parallel)
	st.OnSave(w.save)
	return w, nil
}

// openFiles opens the files that a job goes on in, or looks whether a run may begin in the folder.
func (s *manyFiles[T]) openFiles(state *filesState, r *rxcql.Execution) (*fileSet, error) {
	set := &fileSet{pattern: s.pattern, kind: s.cfg.pack, max: s.cfg.maxBytes}
	existing, err := s.pattern.Existing()
	if err != nil {
		return nil, err
	}
	for _, f := range existing {
		if info, err := os.Stat(f.Path); err == nil && r.ReadsFile(info) {
			return nil, fmt.Errorf("%s is read by this run; write to another folder", f.Path)
		}
		if err := unlocked(f.Path); err != nil {
			return nil, err
		}
	}
	if state == nil {
		if len(existing) > 0 && !s.cfg.overwrite {
			return nil, fmt.Errorf("%s: %w; give sink.Overwrite() if the files of that pattern are not needed, or another path",
				existing[0].Path, fs.ErrExist)
		}
		set.stale = existing
		return set, nil
	}
	set.next = state.Next
	for _, f := range existing {
		if f.Number >= state.Next {
			set.stale = append(set.stale, f)
		}
	}
	for _, open := range state.Open {
		p, err := s.reopen(open)
		if err != nil {
			return nil, errors.Join(err, set.close())
		}
		set.idle = append(set.idle, p)
	}
	slices.Reverse(set.idle) // the oldest is written first
	return set, nil
}

// unlocked refuses a file that another run writes.
func unlocked(path string) error {
	f, err := filesys.Write(path, false)
	if errors.Is(err, filesys.ErrLocked) {
		return err
	}
	if err != nil {
		return nil //nolint:nilerr // whoever needs the file will say what is wrong with it
	}
	return f.Close()
}

func (s *manyFiles[T]) reopen(open openState) (*part, error) {
	reopened, err := s.pattern.Reopen(open.Number)
	path := s.pattern.Name(open.Number) + numbered.Unfinished
	if errors.Is(err, fs.ErrNotExist) {
		return nil, foreign(path, err)
	}
	if err != nil {
		return nil, err
	}
	out, err := openOutput(path, false, s.cfg.pack, &open.Place)
	if err != nil {
		if reopened { // leave it as it was
			err = errors.Join(err, s.pattern.Finish(open.Number))
		}
		return nil, err
	}
	return &part{output: out, number: open.Number, hasRows: true}, nil
}
