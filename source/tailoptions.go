package source

import (
	"errors"
	"fmt"
	"time"
)

// TailOption is an option of Tail.
type TailOption interface{ applyTail(*tailConfig) error }

// ColumnOption is an option of the sources that choose columns of a table: Table and Tail.
type ColumnOption interface {
	TableOption
	TailOption
}

// tailConfig has the options of Tail.
type tailConfig struct {
	readConfig
	from, until time.Time // zero: from now on, and without end
	poll        time.Duration
	overlap     time.Duration
	delay       time.Duration
	seen        int64 // bytes; 0 for the default
	upserts     bool
	wall        func() time.Time
}

const (
	// DefaultPollEvery is how often Tail asks for new rows.
	DefaultPollEvery = time.Second
	// DefaultOverlap is the time that Tail reads again.
	DefaultOverlap = 30 * time.Second
)

func newTailConfig() tailConfig {
	return tailConfig{readConfig: newReadConfig(), poll: DefaultPollEvery, overlap: DefaultOverlap, wall: time.Now}
}

type tailFunc func(*tailConfig) error

func (f tailFunc) applyTail(c *tailConfig) error { return f(c) }

// TailFrom gives the rows that arrived at t or later. Without it a tail begins with the rows that
// arrive from then on; if a run reads it again (operators.Retry) it is from when the run read it
// first. In operators.Concat that is when the streams before it have been read, so give a time from
// before that there. In a job it counts for the first run only, since later ones go on where the
// one before has been.
func TailFrom(t time.Time) TailOption {
	return tailFunc(func(c *tailConfig) error {
		if t.IsZero() {
			return errors.New("TailFrom: the time is zero; leave the option out to begin now")
		}
		c.from = t
		return nil
	})
}

// TailUntil ends the stream when all rows that arrived before t have been given, which is an
// overlap after t. So the past of a table is read in the order of arrival, bucket by bucket, and
// nothing is read that a later TailFrom(t) would give. Without it a tail has no end.
func TailUntil(t time.Time) TailOption {
	return tailFunc(func(c *tailConfig) error {
		if t.IsZero() {
			return errors.New("TailUntil: the time is zero; leave the option out for a tail without end")
		}
		c.until = t
		return nil
	})
}

// PollEvery sets how often the table is asked for new rows: the time from the beginning of one poll
// to that of the next. A poll that takes longer is followed by the next at once. Default 1 s, at
// least 1 ms.
func PollEvery(d time.Duration) TailOption {
	return tailFunc(func(c *tailConfig) error {
		if d < time.Millisecond {
			return fmt.Errorf("PollEvery(%v): must be at least 1ms", d)
		}
		c.poll = d
		return nil
	})
}

// Overlap sets how far back each poll reads again, which is how much later a row may become visible
// than it says that it arrived. Make it at least the sum of
//
//   - the time from when a writer takes the time of arrival to when it gives up the write: its
//     deadline, with all of its retries;
//   - how far clocks of writers, of this machine and of the servers are apart.
//
// A row that becomes visible later than that is missed. So a writer must not tell anyone that a row
// is written when it took longer. Each poll reads the rows of the overlap once more, and remembers
// their keys (SeenBytes). Default 30 s, at least 1 ms.
func Overlap(d time.Duration) TailOption {
	return tailFunc(func(c *tailConfig) error {
		if d < time.Millisecond {
			return fmt.Errorf("Overlap(%v): must be at least 1ms, and longer than a write can take", d)
		}
		c.overlap = d
		return nil
	})
}

// Delay leaves a row alone until it has arrived so long ago. With a delay of at least the overlap
// each row is read once only, no keys are remembered, and the rows of a partition come in the order
// of their arrival. Default 0: rows are given as soon as they are there.
func Delay(d time.Duration) TailOption {
	return tailFunc(func(c *tailConfig) error {
		if d < 0 {
			return fmt.Errorf("Delay(%v): must not be negative", d)
		}
		c.delay = d
		return nil
	})
}

// SeenBytes sets how much memory the keys may take of rows that the next poll will read again: of
// those that arrived within the overlap, and later. A key takes 128 bytes, those of its place in
// the checkpoint included, and they are charged to the budget. A run that has more of them ends
// with ErrTailFull. A job with windows that goes on has the keys of the run before in addition,
// until it has read again what that run had read.
//
// Default: a quarter of the budget (rxcql.WithBudget), which is 131,072 keys in 16 MiB. In a job it
// is 4 MiB at most, 32,768 keys: about 1,000 rows a second in an overlap of 30 s. With these each
// checkpoint fits the 4 MiB that a rxcql.CheckpointStore must take. Each key takes up to 44 bytes
// of every save, and twice as many where there are windows. checkpoint.Table takes as much as its
// server does in one write, 16 MiB unless configured otherwise, and checkpoint.File any length: so
// with these give more where more rows arrive within the overlap.
func SeenBytes(n int64) TailOption {
	return tailFunc(func(c *tailConfig) error {
		if n < seenCost {
			return fmt.Errorf("SeenBytes(%d): must be at least %d, for one key", n, seenCost)
		}
		c.seen = n
		return nil
	})
}

// Upserts gives a row again if another poll of the overlap finds other values in it: those of the
// columns that are read. Without it a row is given once, as it was when it was first seen.
func Upserts() TailOption {
	return tailFunc(func(c *tailConfig) error {
		c.upserts = true
		return nil
	})
}

func (o consistency) applyTail(c *tailConfig) error { return o.set(&c.readConfig) }
func (n pageRows) applyTail(c *tailConfig) error    { return n.set(&c.maxRows) }
func (t throttle) applyTail(c *tailConfig) error    { return t.set(&c.readConfig) }
func (o columns) applyTail(c *tailConfig) error     { return o.applyTable(&c.readConfig) }
