package sink

import "sync/atomic"

// TimesCounts counts what Times guessed and lost, while a run writes and after it. Its zero value
// is ready. It may be read at any time, and several sinks may count into one. Rows count when they
// are written; a row that is written again, by a job that goes on, counts again.
type TimesCounts struct {
	markers, keyOnly, expired, lists, left, untimed, joined atomic.Int64
}

// TimesReport is what TimesCounts have counted.
type TimesReport struct {
	// GuessedMarkers are rows with values that got a marker, and KeyOnlyRows those without values,
	// whose marker is at the MarkerTime.
	GuessedMarkers, KeyOnlyRows int64

	// Expired are values, or elements of values, that were not written because they had expired.
	Expired int64

	// Lists are lists that are not frozen: their elements got one write time, a little later than
	// the newest of them.
	Lists int64

	// ListsLeft are those of them that were not written, because the table has a newer one, or has
	// deleted the row later.
	ListsLeft int64

	// Untimed are values that had no times: those of Untimed columns, and with Lossy of others.
	// Their time and their expiry are guessed.
	Untimed int64

	// Joined are values whose elements had times of their own, and which the table holds as a whole
	// (frozen). They got the newest write time. With Lossy some may have got a later expiry.
	Joined int64
}

// add counts rows that were written.
func (c *TimesCounts) add(t timesTally, expired int64) {
	for _, n := range []struct {
		to *atomic.Int64
		n  int64
	}{
		{&c.markers, t.markers}, {&c.keyOnly, t.keyOnly}, {&c.lists, t.lists}, {&c.left, t.left}, {&c.untimed, t.untimed}, {&c.joined, t.joined},
		{&c.expired, expired},
	} {
		if n.n > 0 { // they are shared by all workers
			n.to.Add(n.n)
		}
	}
}

// Report returns what has been counted so far.
func (c *TimesCounts) Report() TimesReport {
	return TimesReport{
		GuessedMarkers: c.markers.Load(), KeyOnlyRows: c.keyOnly.Load(), Expired: c.expired.Load(),
		Lists: c.lists.Load(), ListsLeft: c.left.Load(), Untimed: c.untimed.Load(), Joined: c.joined.Load(),
	}
}
