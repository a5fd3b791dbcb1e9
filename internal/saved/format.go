package saved

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rxcql/rxcql/internal/ring"
)

// Version of the format. A reader takes its own and older ones.
const Version = 1

const magic = "rxcql-checkpoint"

// Errors of Decode.
var (
	ErrDamaged = errors.New("rxcql: the checkpoint is damaged")
	ErrNewer   = errors.New("rxcql: the checkpoint is of a newer version")
)

// Encode writes a state down.
func Encode(s *State) ([]byte, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf("%s %d sha256:%x\n", magic, Version, sha256.Sum256(body))
	return append([]byte(head), body...), nil
}

// Decode reads what Encode wrote. Anything else is ErrDamaged, or ErrNewer if it says that it is.
func Decode(data []byte) (*State, error) {
	head, body, _ := bytes.Cut(data, []byte("\n"))
	words := strings.Split(string(head), " ")
	if len(words) != 3 || words[0] != magic {
		return nil, fmt.Errorf("%w: it does not begin as one", ErrDamaged)
	}
	version, err := strconv.Atoi(words[1])
	if err != nil || version < 1 {
		return nil, fmt.Errorf("%w: its version is not a number", ErrDamaged)
	}
	if version > Version {
		return nil, fmt.Errorf("%w: format %d, this program knows up to %d", ErrNewer, version, Version)
	}
	if sum := fmt.Sprintf("sha256:%x", sha256.Sum256(body)); words[2] != sum {
		return nil, fmt.Errorf("%w: its checksum is wrong", ErrDamaged)
	}
	s := &State{}
	if err := json.Unmarshal(body, s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return s, nil
}

// validate refuses what no run can have saved. Above all, a token range that is done and also to be
// read would hide rows.
func (s *State) validate() error {
	if s.Failed < 0 {
		return fmt.Errorf("%d rows have failed", s.Failed)
	}
	for _, src := range s.Sources {
		if src.Rows < 0 {
			return fmt.Errorf("stage %s: %d rows are done", src.Stage, src.Rows)
		}
		var all []ring.Range
		all = append(all, src.Done...)
		for _, p := range src.Parts {
			if p.Pages < 0 || p.Rows < 0 || (p.Pages > 0) != (len(p.State) > 0) {
				return fmt.Errorf("stage %s: range %v: %d pages do not go with a state of %d bytes", src.Stage, p.Range, p.Pages, len(p.State))
			}
			if p.Read != 0 && p.Read < p.Rows {
				return fmt.Errorf("stage %s: range %v: %d rows are settled and %d read", src.Stage, p.Range, p.Rows, p.Read)
			}
			all = append(all, p.Range)
		}
		slices.SortFunc(all, func(a, b ring.Range) int { return cmp.Compare(a.Start, b.Start) })
		for i, r := range all {
			if r.Start >= r.End {
				return fmt.Errorf("stage %s: range %v is empty", src.Stage, r)
			}
			if i > 0 && r.Start < all[i-1].End {
				return fmt.Errorf("stage %s: ranges %v and %v overlap", src.Stage, all[i-1], r)
			}
		}
	}
	return s.validateFrontiers()
}

// validateFrontiers refuses frontiers that no run can have saved. One that is behind all windows,
// in a job that is not complete, would have every row dropped that a file has grown by.
func (s *State) validateFrontiers() error {
	seen := map[string]bool{}
	for _, f := range s.Frontiers {
		if seen[f.Stage] {
			return fmt.Errorf("stage %s has two frontiers", f.Stage)
		}
		seen[f.Stage] = true
		if f.UpTo != nil && *f.UpTo == Forever && !s.Complete {
			return fmt.Errorf("stage %s: its windows are durable for ever, and the job is not complete", f.Stage)
		}
		for i, e := range f.Sessions {
			switch {
			case len(e.Key) == 0:
				return fmt.Errorf("stage %s: a session has no key", f.Stage)
			case i > 0 && bytes.Compare(f.Sessions[i-1].Key, e.Key) >= 0:
				return fmt.Errorf("stage %s: sessions are not in the order of their keys", f.Stage)
			case f.UpTo != nil && e.End <= *f.UpTo:
				return fmt.Errorf("stage %s: the end of a session is behind the frontier", f.Stage)
			}
		}
	}
	return nil
}

// Follows returns an error if no run that goes on from before can have saved s: a frontier does not
// go back.
func (s *State) Follows(before *State) error {
	if before.Complete {
		return nil
	}
	for _, was := range before.Frontiers {
		for _, is := range s.Frontiers {
			if is.Stage == was.Stage && was.UpTo != nil && (is.UpTo == nil || *is.UpTo < *was.UpTo) {
				return fmt.Errorf("stage %s: its frontier went back", was.Stage)
			}
		}
	}
	return nil
}
