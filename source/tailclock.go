package source

import (
	"context"
	"time"
)

// tailClock says for Tail what time it is, and up to when rows are complete: those that arrived
// earlier have been written or never will be.
//
// Two clocks are asked, this machine's and that of the node that answers, since either may be wrong
// and may jump. What is complete goes by the earlier of the two, what is looked for by the later.
// So rows are missed only if both clocks are ahead, by more than the overlap allows for.
//
// Both may be those of one machine, and jump together. So in addition an overlap must have passed
// by the monotonic clock, which does not jump, since they said that time. What they say when a run
// begins is believed at once: else all rows of a backlog would have to be remembered until then.
type tailClock struct {
	wall    func() time.Time
	server  func(context.Context) (time.Time, error)
	overlap time.Duration

	start time.Time // for what has passed by the monotonic clock
	first time.Time // what wall said then

	now      clockReading
	kept     []clockReading // of the last overlap, and one before it
	complete int64          // in milliseconds since 1970; never goes back
}

// clockReading is what the two clocks said, in milliseconds since 1970.
type clockReading struct {
	at            time.Duration // since the start, by the monotonic clock
	early, latest int64
}

func newTailClock(cfg *tailConfig, server func(context.Context) (time.Time, error)) *tailClock {
	return &tailClock{wall: cfg.wall, server: server, overlap: cfg.overlap, start: time.Now(), first: cfg.wall().Round(0)}
}

// keptReadings is about how many readings are kept for an overlap.
const keptReadings = 32

// read asks both clocks.
func (c *tailClock) read(ctx context.Context) error {
	server, err := c.server(ctx)
	if err != nil {
		return err
	}
	at := time.Since(c.start)
	here := c.wall().Round(0)
	if passed := c.first.Add(at); here.Before(passed) { // it was set back
		here = passed
	}
	c.now = clockReading{at: at, early: min(here.UnixMilli(), server.UnixMilli()), latest: max(here.UnixMilli(), server.UnixMilli())}
	overlap := c.overlap.Milliseconds()
	if len(c.kept) == 0 { // what the clocks said before is not known
		c.kept = append(c.kept, clockReading{at: at - c.overlap, early: c.now.early - overlap})
	}
	if c.now.at-c.kept[len(c.kept)-1].at >= c.overlap/keptReadings {
		c.kept = append(c.kept, c.now)
	}
	for len(c.kept) > 1 && c.kept[1].at <= at-c.overlap {
		c.kept = c.kept[1:]
	}
	c.complete = max(c.complete, min(c.kept[0].early, c.now.early-overlap))
	return nil
}

// stale reports whether the clocks should be asked again in the middle of a poll.
func (c *tailClock) stale() bool { return time.Since(c.start)-c.now.at > c.overlap/keptReadings*2 }
