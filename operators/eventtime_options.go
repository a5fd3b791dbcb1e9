package operators

import (
	"fmt"
	"time"
)

// EventTimeOption says how EventTime concludes from the rows how far event time is.
type EventTimeOption interface{ applyEventTime(*eventTimeConfig) error }

type eventTimeConfig struct {
	late  time.Duration
	ahead time.Duration
	idle  time.Duration

	limited, idles bool // ahead, idle were given

	wall func() time.Time // this machine's clock
}

type (
	outOfOrderness time.Duration
	maxAhead       time.Duration
	idleAfter      time.Duration
)

// OutOfOrderness is by how much a row may be earlier than the latest one before it in its part: the
// watermark stays behind that one by d. Rows that are earlier still come behind the watermark, and
// are late to windows. Default 0: rows of a part come in the order of their times.
func OutOfOrderness(d time.Duration) EventTimeOption { return outOfOrderness(d) }

// MaxAhead makes a row error (rxcql.WithRowErrors) of a row whose time is further ahead of now than
// d. Such a row moves no watermark: a device with a wrong clock must not make the rows of all
// others late. Default: no limit.
func MaxAhead(d time.Duration) EventTimeOption { return maxAhead(d) }

// IdleAfter has the watermark of a part go on without rows, when its source has said for d that the
// part is idle: to the moment of its last request that found nothing, less OutOfOrderness and the
// source's overlap. So the last window of a stream that has become quiet is closed, and a part that
// is quiet does not hold up the others.
//
// Where servers were away, or a clock has jumped, the watermark stays where it was before that
// until the part has been idle for d since, less other such times: writers need a moment too. Where
// each poll waits for longer than the source's overlap, as ever, the watermark is four polls behind
// or more. An outage that no request of the source meets is not seen: where source.PollEvery is
// more than the overlap, have OutOfOrderness allow for it.
//
// Give it only where rows are written soon after they happen. Rows that are written when their part
// is idle, and are of long ago, are late by it. Default: an idle part keeps its watermark.
//
// A part is idle by the word of its source alone (flow.Idle): of the sources in package source
// only Tail says it, so behind others (Chan) this option does nothing. A source that is waiting,
// repeating a request or held up by a slow sink does not say so, and neither does one that has just
// begun, or that Retry has begun again.
func IdleAfter(d time.Duration) EventTimeOption { return idleAfter(d) }

func (d outOfOrderness) applyEventTime(c *eventTimeConfig) error {
	c.late = time.Duration(d)
	return notNegative("OutOfOrderness", c.late)
}

func (d maxAhead) applyEventTime(c *eventTimeConfig) error {
	c.ahead, c.limited = time.Duration(d), true
	return notNegative("MaxAhead", c.ahead)
}

func (d idleAfter) applyEventTime(c *eventTimeConfig) error {
	c.idle, c.idles = time.Duration(d), true
	return notNegative("IdleAfter", c.idle)
}

func notNegative(option string, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%s(%v): must not be less than 0", option, d)
	}
	return nil
}
