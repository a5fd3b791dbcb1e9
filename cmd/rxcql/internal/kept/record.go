package kept

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// record is what is kept of a job.
type record struct {
	Job   string    `json:"job"`
	Begun time.Time `json:"begun"`
	Scene Scene     `json:"scene"`
	// Void: neither the outcome nor the positions count; they are about to be removed.
	Void bool `json:"void,omitempty"`
	// Outcome is what the job came to; empty until it is complete. Rows: it had some.
	Outcome json.RawMessage `json:"outcome,omitempty"`
	Rows    bool            `json:"rows,omitempty"`
	Ended   time.Time       `json:"ended,omitzero"`
}

// anew takes away what is there and writes a new record. A kill in the middle of it does no harm:
// by then the old record says that nothing counts.
func (p *Place) anew(ctx context.Context, was *record, now record) error {
	if was != nil {
		void := *was
		void.Void = true
		if err := p.write(ctx, void); err != nil {
			return err
		}
	}
	if err := p.discard(); err != nil {
		return err
	}
	return p.write(ctx, now)
}

// discard takes the positions away. A folder is moved, since people may want to read what it has.
func (p *Place) discard() error {
	if !p.Results || !exists(p.Positions) {
		return remove(p.Positions)
	}
	folder, name := filepath.Split(p.Positions)
	earlier := filepath.Join(folder, Earlier)
	if err := os.MkdirAll(earlier, 0o700); err != nil {
		return err
	}
	return os.Rename(p.Positions, filepath.Join(earlier, name+"."+time.Now().UTC().Format("20060102T150405.000000000")))
}

// parse reads a record, nil if there is none. With Restart one that cannot be read is as good.
func (p *Place) parse(text []byte) (*record, error) {
	if text == nil {
		return nil, nil //nolint:nilnil // there is none
	}
	r := &record{}
	if err := json.Unmarshal(text, r); err != nil && !p.Restart {
		return nil, refuse("%s, which an earlier run has left: %w: %s", p.File, err, remedy)
	}
	return r, nil
}

func (p *Place) write(ctx context.Context, r record) error {
	p.record = r
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return p.held.Save(ctx, text)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return path != "" && err == nil
}

// remove removes a file. One that is not there is as good.
func remove(path string) error {
	if path == "" {
		return nil
	}
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
