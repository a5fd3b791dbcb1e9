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
	return nil
}
