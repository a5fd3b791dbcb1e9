package transfer

import (
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/ring"
)

// DiffOption is an option of Diff.
type DiffOption interface{ applyDiff(*diffConfig) error }

// Defaults of Diff.
const (
	// DefaultPause is how long Diff waits before it reads again what differed.
	DefaultPause = 10 * time.Second
	// DefaultRereads is how often Diff reads again what differs in another way each time.
	DefaultRereads = 3
	// DefaultMaxCandidates is in how many rows tables may seem to differ.
	DefaultMaxCandidates = 1_000_000
	// DefaultWriteTolerance is by how much the write times of equal cells may differ. What Repair
	// writes with Bump is one microsecond later than at the source, and counts as equal.
	DefaultWriteTolerance = time.Microsecond
	// DefaultExpiryTolerance is by how much the expiry of equal cells may differ.
	DefaultExpiryTolerance = 2 * time.Second
)

// diffConfig has the options of Diff.
type diffConfig struct {
	config
	compareConfig
	pause      time.Duration
	rereads    int
	candidates int64
	tokens     []ring.Range // to read; nil for all
}

// compareConfig says what is compared, and how exactly.
type compareConfig struct {
	leaveOut     map[string]bool
	renamed      map[string]string // the target's name by that of the source
	writesWithin time.Duration     // tolerances
	expiryWithin time.Duration
}

func newDiffConfig() diffConfig {
	return diffConfig{
		compareConfig: newCompareConfig(), pause: DefaultPause, rereads: DefaultRereads, candidates: DefaultMaxCandidates,
	}
}

func newCompareConfig() compareConfig {
	return compareConfig{leaveOut: map[string]bool{}, renamed: map[string]string{}, writesWithin: DefaultWriteTolerance, expiryWithin: DefaultExpiryTolerance}
}

// CompareOption is an option of Diff and of Repair: which columns belong together, and what counts
// as equal.
type CompareOption interface {
	DiffOption
	RepairOption
}

type compareOption func(*compareConfig) error

func (o compareOption) applyDiff(c *diffConfig) error     { return o(&c.compareConfig) }
func (o compareOption) applyRepair(c *repairConfig) error { return o(&c.compareConfig) }

// LeaveOut leaves columns out of the comparison, those of the source, of the target, or of both.
// The names are exact, without quotes. A column that only one of the tables has must be left out,
// since otherwise its values would be lost without a word.
func LeaveOut(columns ...string) CompareOption {
	return compareOption(func(c *compareConfig) error {
		for _, name := range columns {
			c.leaveOut[name] = true
		}
		return nil
	})
}

// Tolerance says by how much the write times, and the expiry, of cells with equal values may differ
// with WithTimes. Default: write times by 1 µs (DefaultWriteTolerance), and expiry by 2 s
// (DefaultExpiryTolerance), because a TTL that is read has whole seconds and says how long is left.
func Tolerance(writes, expiry time.Duration) CompareOption {
	return compareOption(func(c *compareConfig) error {
		c.writesWithin, c.expiryWithin = writes, expiry
		if writes < 0 || expiry < 0 {
			return fmt.Errorf("Tolerance(%v, %v): neither may be negative", writes, expiry)
		}
		return nil
	})
}

type diffOption func(*diffConfig) error

func (o diffOption) applyDiff(c *diffConfig) error { return o(c) }

// Pause sets how long Diff waits, after both tables are read, before it reads again the rows that
// differed. Default 10 s (DefaultPause). Make it longer than a write takes to reach both sides,
// such as the time by which one cluster follows the other; 0 is right if nobody writes.
func Pause(d time.Duration) DiffOption {
	return diffOption(func(c *diffConfig) error {
		c.pause = d
		if d < 0 {
			return fmt.Errorf("Pause(%v): must not be negative", d)
		}
		return nil
	})
}

// Rereads sets how often a row is read again that differs each time in another way, before it is
// Unstable. Default 3 (DefaultRereads), at least 1. There is a Pause before each. With 1, static
// columns that differ are Unstable where the scan could not compare them: next to rows of one
// table only, or to rows that could not be read.
func Rereads(n int) DiffOption {
	return diffOption(func(c *diffConfig) error {
		c.rereads = n
		if n < 1 || n > 100 {
			return fmt.Errorf("Rereads(%d): must be from 1 to 100", n)
		}
		return nil
	})
}

// MaxCandidates sets in how many rows the tables may seem to differ. With more the run ends with
// ErrTooDifferent: reading so many rows again one by one would take longer than copying the table.
// Default 1,000,000 (DefaultMaxCandidates), at least 1. Each takes about 100 bytes and its key in a
// file.
func MaxCandidates(n int64) DiffOption {
	return diffOption(func(c *diffConfig) error {
		c.candidates = n
		if n < 1 {
			return fmt.Errorf("MaxCandidates(%d): must be at least 1", n)
		}
		return nil
	})
}

// OnlyRanges reads only rows with a token in one of these ranges, instead of the whole tables.
func OnlyRanges(ranges ...flow.TokenRange) DiffOption {
	return diffOption(func(c *diffConfig) error {
		if len(ranges) == 0 {
			return errors.New("OnlyRanges: no range is given; leave the option out for the whole table")
		}
		for _, r := range ranges {
			if r.Start >= r.End {
				return fmt.Errorf("OnlyRanges: %v has no tokens; a range is (start, end], and start is less", r)
			}
			c.tokens = append(c.tokens, ring.Range(r))
		}
		return nil
	})
}
