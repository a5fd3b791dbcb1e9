package operators_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// A row that moves no event time comes with every third poll, and the last window of the others
// waits. It closes when no such row comes any more.
func TestRowsThatMoveNoEventTimeEndIdlenessLikeOthers(t *testing.T) {
	for name, later := range map[string]int{"of long ago": -1000, "beyond MaxAhead": 1000} {
		alone(t, name, func(t *testing.T) {
			for with, closed := range map[int]int{0: 5, 9: 13, polls - 1: polls - 1} {
				begin := int(time.Now().Unix())
				answers := []answer{found(begin)}
				for i := range polls - 1 {
					if i < with && i%3 == 2 {
						answers = append(answers, found(begin+later))
						continue
					}
					answers = append(answers, nothingFound)
				}
				in := operators.EventTime(asks(0, answers...), happened, operators.IdleAfter(3*time.Second), operators.MaxAhead(500*time.Second))
				require.Equal(t, closed, closedAt(t, begin, in, rxcql.WithRowErrors(rxcql.SkipRows(polls)))[0], "such rows in %d polls", with)
			}
		})
	}
}

// EventTime does not hear of it, so the part has been idle since the second before.
func TestARowThatIsDroppedBeforeEventTimeEndsNoIdleness(t *testing.T) {
	const row = 3 // the second in which it comes
	for name, c := range map[string]struct {
		drops func(in rxcql.Stream[timed], begin int) rxcql.Stream[timed]
		goes  int // the poll with which event time goes on by the clock
	}{
		"Buffer": {func(in rxcql.Stream[timed], _ int) rxcql.Stream[timed] {
			return operators.Buffer(in, 1, rxcql.OverflowDropNewest)
		}, 5},
		"Filter": {func(in rxcql.Stream[timed], begin int) rxcql.Stream[timed] {
			return operators.Filter(in, func(e timed) bool { return e.at != begin+row })
		}, 5},
		"nothing": {func(in rxcql.Stream[timed], _ int) rxcql.Stream[timed] { return in }, 7},
	} {
		alone(t, name, func(t *testing.T) {
			begin := int(time.Now().Unix())
			answers := slices.Repeat([]answer{nothingFound}, 10)
			answers[0], answers[1], answers[row] = found(begin), found(begin+1), found(begin+row)
			s := operators.EventTime(c.drops(asks(0, answers...), begin), happened, operators.IdleAfter(3*time.Second))
			var rows []int
			goes := 0
			rep, err := spying(s, func(p *flow.Page[timed]) {
				for _, e := range p.Rows {
					rows = append(rows, e.at-begin)
				}
				if goes == 0 && markAt(begin+row).Before(p.Watermark) {
					goes = int(p.Watermark.Time().Unix()) - begin
				}
				if len(rows) == 1 && name == "Buffer" { // the next row waits in it, and behind that there is no room
					time.Sleep(row*time.Second + time.Second/2)
				}
			}).ForEach(t.Context(), func(timed) error { return nil })
			require.NoError(t, err)
			require.Equal(t, c.goes, goes)
			if name == "nothing" {
				require.Equal(t, []int{0, 1, row}, rows)
				return
			}
			require.Equal(t, []int{0, 1}, rows)
			require.EqualValues(t, 1, rep.Filtered)
		})
	}
}

// Who sends nothing into a channel does not say that there is nothing.
func TestBehindAChannelIdleAfterDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := int(time.Now().Unix())
		rows := make(chan timed)
		in := operators.EventTime(source.Chan(rows), happened, operators.IdleAfter(time.Second))
		results := operators.Window(in, operators.Tumbling(5*time.Second), momentOf, partOf, noTimes, addTime, operators.WindowKeys(10))
		closed := 0
		ended := make(chan error)
		go func() {
			_, err := results.ForEach(t.Context(), func(timesIn) error { closed++; return nil })
			ended <- err
		}()
		rows <- timed{at: begin}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		require.Zero(t, closed)
		rows <- timed{at: begin + 5}
		synctest.Wait()
		require.Equal(t, 1, closed, "by a later row")
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		require.Equal(t, 1, closed)
		close(rows)
		require.NoError(t, <-ended)
		require.Equal(t, 2, closed, "at the end")
	})
}
