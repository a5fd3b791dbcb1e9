package dialect

import "time"

// clock is the zone in which timestamps are written.
type clock struct {
	zone *time.Location
	step int // offsets of this many seconds can be written; 0: the layout has no offset
}

// clockOf is that of a layout. The zone is UTC if it is nil.
func clockOf(layout string, zone *time.Location) clock {
	c := clock{zone: zone}
	if zone == nil {
		c.zone = time.UTC
	}
	if !zoned(layout) {
		return c
	}
	c.step = 24 * 60 * 60
	for _, of := range []struct{ step, offset int }{{1, 3*60*60 + 25*60 + 45}, {60, 3*60*60 + 25*60}, {60 * 60, 3 * 60 * 60}} {
		at := time.Date(2021, 3, 4, 15, 0, 0, 0, time.FixedZone("", of.offset))
		got, err := time.Parse(layout, at.Format(layout))
		if _, offset := got.Zone(); err == nil && offset == of.offset {
			c.step = of.step
			break
		}
	}
	return c
}

// at is a moment as the clock shows it. Where the layout does not hold the zone's offset, as those
// with seconds before zones were made uniform, it is UTC.
func (c clock) at(moment time.Time) time.Time {
	at := moment.In(c.zone)
	if _, offset := at.Zone(); c.step > 0 && offset%c.step != 0 {
		return at.UTC()
	}
	return at
}
