package sink

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/rxcql/rxcql/internal/filesys"
	"github.com/rxcql/rxcql/internal/numbered"
	"github.com/rxcql/rxcql/internal/pack"
)

// fileSet has the numbered files of one run. Each open file is written by one goroutine at a time;
// several files may be written at once.
type fileSet struct {
	pattern numbered.Pattern
	kind    pack.Kind
	max     int64 // bytes in a file; 0 for no bound

	mu    sync.Mutex
	err   error // of a file that could not be completed; nothing works after it
	begun bool
	stale []numbered.File // to be removed when writing begins
	next  int
	idle  []*part // open and not being written
}

// part is a file that is not complete.
type part struct {
	*output
	number  int
	hasRows bool
}

// begin removes what is not to stay. That is done late, so that a run which fails before anything
// is written leaves the folder as it was. The caller holds mu.
func (s *fileSet) begin() error {
	if s.begun {
		return nil
	}
	for _, f := range s.stale {
		if err := os.Remove(f.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if len(s.stale) > 0 {
		if err := filesys.SyncFolder(s.pattern.Folder()); err != nil {
			return err
		}
	}
	s.begun = true
	return nil
}

// take gives a file to write to, an open one if there is one.
func (s *fileSet) take() (*part, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open()
}

// open is take without the lock, which the caller holds.
func (s *fileSet) open() (*part, error) {
	if s.err != nil {
		return nil, s.err
	}
	if n := len(s.idle); n > 0 {
		p := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return p, nil
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	p := &part{number: s.next}
	path := s.pattern.Name(p.number)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, fmt.Errorf("%s: %w: something else has made it meanwhile", path, fs.ErrExist))
	}
	var err error
	if p.output, err = openOutput(path+numbered.Unfinished, false, s.kind, nil); err != nil {
		return nil, err
	}
	s.next++
	return p, nil
}

// putBack takes a file that was not completed.
func (s *fileSet) putBack(p *part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, p)
}

// write writes the rows of a block, into as many files as they need.
func (s *fileSet) write(b *block) error {
	for row := 0; row < len(b.ends); {
		p, err := s.take()
		if err != nil {
			return err
		}
		var full bool
		if row, full, err = s.fill(p, b, row); err == nil && full {
			err = s.complete(p, b.frame.end)
		} else {
			s.putBack(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// packedChunk is how much text a compressor gets before the size of its file is looked at.
const packedChunk = 64 << 10

// fill writes rows, from one on, into a file until it is full, and returns the row that comes next.
func (s *fileSet) fill(p *part, b *block, row int) (next int, full bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return row, false, p.err
	}
	defer func() {
		if err != nil {
			err = p.undo(err)
		}
	}()
	for row < len(b.ends) {
		if s.max > 0 && p.hasRows && p.end+b.size(row) > s.max {
			return row, true, nil
		}
		start := b.start(row)
		if !p.hasRows {
			start += len(b.frame.between)
			if err := p.write([]byte(b.frame.head)); err != nil {
				return row, false, err
			}
		}
		p.hasRows = true
		room := s.max - p.end
		first := row
		for row++; row < len(b.ends); row++ {
			if s.max > 0 && (int64(b.ends[row]-start) > room || p.pack != nil && b.ends[row]-start > packedChunk) {
				break
			}
		}
		if err := p.write(b.text[start:b.ends[row-1]]); err != nil {
			return first, false, err
		}
		p.keep()
	}
	return row, false, nil
}

// complete is finish while other files are being written.
func (s *fileSet) complete(p *part, end string) error {
	err := s.finish(p, end)
	if err != nil {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
	}
	return err
}

// finish completes a file: it is durable when it gets its final name.
func (s *fileSet) finish(p *part, end string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.endMember()
	if err == nil {
		err = p.write([]byte(end))
	}
	if err == nil {
		err = p.sync()
	}
	if err = errors.Join(err, p.f.Close()); err != nil {
		return err
	}
	if err := s.pattern.Finish(p.number); err != nil {
		return err
	}
	return filesys.SyncFolder(s.pattern.Folder())
}

// finishAll completes all open files. If a run has written none, it makes one without rows, unless
// it was stopped. No save comes between: it would count files as complete that are not.
func (s *fileSet) finishAll(f frame, stopped bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	var errs []error
	for _, p := range s.idle {
		errs = append(errs, s.finish(p, f.end))
	}
	s.idle = nil
	if s.next == 0 && !stopped {
		p, err := s.open()
		if err == nil {
			err = s.finish(p, f.empty)
		}
		errs = append(errs, err)
	}
	s.err = errors.Join(errs...)
	return s.err
}

// save makes the open files durable and returns where they end. Nothing is being written meanwhile.
func (s *fileSet) save(columns []string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	state := filesState{Next: s.next, Columns: columns}
	for _, p := range s.idle {
		p.mu.Lock()
		err := p.endMember()
		if err == nil {
			var at openState
			at.Number = p.number
			at.Place, err = p.place()
			state.Open = append(state.Open, at)
		}
		p.mu.Unlock()
		if err != nil {
			return nil, err
		}
	}
	return json.Marshal(state)
}

// close closes the files that are open, as they are.
func (s *fileSet) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, p := range s.idle {
		errs = append(errs, p.close())
	}
	s.idle = nil
	return errors.Join(errs...)
}
