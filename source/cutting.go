package source

import (
	"context"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/keyorder"
)

// mostCuts is how many requests in a row may fail before the reason is taken for another than what
// they ask for. A row is found in fewer cuts: 64 of tokens, and as many of each number in its key.
const mostCuts = 256

// cutting cuts what pages could not be read of. It belongs to one goroutine.
type cutting struct {
	*slicing
	stage    *rxcql.Stage
	session  *driver.Session
	rate     *rxcql.Rate // of requests; nil for no limit
	cfg      readConfig
	order    *keyorder.Order // of partition keys
	failures int             // requests that failed since the last page

	// left is called with a slice that cannot be read, before the place goes on behind it.
	left func(place *slicePlace, s slice, reason driver.Class)
}

func newCutting(st *rxcql.Stage, session *driver.Session, cfg readConfig, slicing *slicing) *cutting {
	order, _ := keyorder.New(slicing.partition) // fails for clustering columns only
	return &cutting{slicing: slicing, stage: st, session: session, rate: cfg.rate, cfg: cfg, order: order}
}

// atomic reports whether a slice cannot be cut.
func (c *cutting) atomic(s *slice) bool { return !s.begun && c.halves(*s) == nil }

// keyOf returns the partition key that all rows of a slice must have: a slice of one partition has
// no other. It is nil if that is not known yet, or the slice may have several partitions.
func (c *cutting) keyOf(place *slicePlace, s *slice) [][]byte {
	if !s.inPartition() || place.last == nil || c.tokenOf(place.last) != s.tokens.End {
		return nil
	}
	return place.last[:c.partition]
}

func (c *cutting) tokenOf(key [][]byte) int64 { return c.order.Token(&keyorder.Key{Cells: key}) }

// skip leaves out slices for static columns alone of a partition of which a row has been read.
func (c *cutting) skip(place *slicePlace) {
	for !place.over() && place.slices[0].statics && place.last != nil && c.tokenOf(place.last) == place.slices[0].tokens.End {
		place.slices = place.slices[1:]
	}
}

// cutFirst cuts the first slice of a place, after a page of it failed. If it cannot be cut, it is
// left unread. An error ends the reading.
func (c *cutting) cutFirst(ctx context.Context, place *slicePlace, reason error) error {
	c.stage.CountRetry(reason)
	c.failures++
	first := place.slices[0]
	var pieces []slice
	switch {
	case c.failures > mostCuts && !tooManyTombstones(reason):
		return reason
	case first.begun && place.last == nil: // by a run without AdaptiveSplits
		return fmt.Errorf("%w (the job was begun without source.AdaptiveSplits, so this range cannot be cut where it is: begin the job anew)", reason)
	case first.begun && c.tuple != "":
		return fmt.Errorf("%w (the range cannot be cut behind a row: clustering column %q is a tuple, which the driver cannot bind)", reason, c.tuple)
	case first.begun:
		token := c.tokenOf(place.last)
		if !first.inPartition() {
			if err := c.alone(ctx, token); err != nil {
				return err
			}
		}
		pieces = c.behind(first, place.last, token)
	case c.failures <= mostCuts:
		pieces = c.halves(first)
	}
	if pieces == nil && !first.begun {
		c.leave(place, reason)
		return nil
	}
	place.slices = append(pieces, place.slices[1:]...)
	c.skip(place)
	return nil
}

// leave leaves the first slice of a place unread.
func (c *cutting) leave(place *slicePlace, reason error) {
	first := place.slices[0]
	first.state = nil              // no row of it has been read
	if tooManyTombstones(reason) { // else a server that answers nothing would have all left, one by one
		c.failures = 0
	}
	c.left(place, first, driver.Classify(reason))
	place.slices = place.slices[1:]
	c.skip(place)
}

// alone fails if more than one partition has the token. The rows of others would be lost where one
// is cut.
func (c *cutting) alone(ctx context.Context, token int64) error {
	st := c.onePerPartition(c.cfg, flow.TokenRange{Start: token - 1, End: token})
	found := 0
	for state := []byte(nil); ; {
		var got *driver.Page
		ask := func(int) (err error) {
			if err := c.rate.AwaitRequest(ctx, c.stage); err != nil {
				return err
			}
			got, err = c.session.Fetch(ctx, st, firstRows, state)
			return err
		}
		err := ask(0)
		if err != nil && driver.MayPass(err) {
			err = c.stage.Retry(ctx, err, driver.MayPass, ask)
		}
		if err != nil {
			return fmt.Errorf("asking which partitions have the token %d: %w", token, err)
		}
		if found += got.Rows(); found > 1 {
			return &twoPartitionsError{token}
		}
		if state = got.Next(); state == nil {
			return nil
		}
	}
}

// twoPartitionsError says that a partition cannot be cut because another one has its token.
type twoPartitionsError struct{ token int64 }

func (e *twoPartitionsError) Error() string {
	return fmt.Sprintf("two partitions have the token %d, and one of them is too large to be read at once: "+
		"read these two by source.Query, or raise the server's tombstone_failure_threshold", e.token)
}
