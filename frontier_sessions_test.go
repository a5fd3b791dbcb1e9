package rxcql_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// sessions is the smallest stage with session windows that keeps the rules of flow.Frontier.
func sessions(in rxcql.Stream[reading], w *windows) rxcql.Stream[result] {
	info := rxcql.StageInfo{Name: "Sessions", HoldsRows: true, MixesRows: true, Frontier: true, Facts: w.facts}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[result]) error {
		s := &sessioning{open: map[int][]session{}}
		s.windowing = windowing{windows: w, st: st, out: out, account: st.Account(false), f: st.Frontier(), times: map[flow.PartID]flow.Watermark{}}
		return in.Subscribe(ctx, st, s)
	}, in)
}

// session is an open session of a key: from the first row to the gap behind the last.
type session struct {
	start, end int
	ids        []int
}

type sessioning struct {
	windowing
	open  map[int][]session // by key
	given flow.Watermark    // all sessions that end at or before it have been given
}

// hashed is the hash of a key.
func hashed(key int) string { return fmt.Sprintf("hash of %d", key) }

func (s *sessioning) Next(ctx context.Context, p *flow.Page[reading]) error {
	if s.before != nil {
		if err := s.before(p.Rows); err != nil {
			return err
		}
	}
	if err := s.happens(); err != nil {
		return err
	}
	var until flow.Watermark
	for _, row := range p.Rows {
		end := second(row.At + s.gap)
		restored := !s.f.RestoredSession(hashed(row.Key)).Before(end)
		switch {
		case restored && s.f.Counted(p.Reservation):
			continue
		case restored || !s.given.Before(end):
			s.late(row, row.At)
			continue
		}
		s.add(row)
		if until.Before(end) {
			until = end
		}
	}
	if until.Known() {
		if err := s.f.Hold(p.Reservation, until); err != nil {
			return s.st.Fail(err)
		}
	}
	s.see(p.Advance())
	return s.give(ctx)
}

// add merges a row with the sessions that it touches.
func (s *sessioning) add(row reading) {
	now := session{row.At, row.At + s.gap, []int{row.ID}}
	s.open[row.Key] = append(slices.DeleteFunc(s.open[row.Key], func(other session) bool {
		if other.end <= now.start || now.end <= other.start {
			return false
		}
		now = session{min(now.start, other.start), max(now.end, other.end), append(now.ids, other.ids...)}
		return true
	}), now)
}

func (s *sessioning) give(ctx context.Context) error {
	if !s.given.Before(s.now) {
		return nil
	}
	s.given = s.now
	upTo := s.now
	var rows []result
	var ended []flow.SessionEnd
	for key := range 10 {
		s.open[key] = slices.DeleteFunc(s.open[key], func(one session) bool {
			if s.now.Before(second(one.end)) {
				first := flow.WatermarkAt(time.Unix(int64(one.start+s.gap), -1000))
				if first.Before(upTo) {
					upTo = first
				}
				return false
			}
			rows = append(rows, result{window{key, one.start}, slices.Sorted(slices.Values(one.ids)), "final"})
			ended = append(ended, flow.SessionEnd{Key: hashed(key), End: second(one.end)})
			return true
		})
	}
	if len(rows) == 0 {
		s.f.Durable(upTo)
		return nil
	}
	return s.deliver(ctx, rows, s.f.Receipt(upTo, ended...))
}

func (s *sessioning) Done(ctx context.Context, stopped bool) error {
	if stopped {
		s.f.Abandon()
		return s.out.Done(ctx, true)
	}
	s.now = flow.Forever
	if err := s.give(ctx); err != nil {
		return err
	}
	return s.out.Done(ctx, false)
}

// wholeSessions is the table that has every row in its session.
func (j *windowJob) wholeSessions() map[window][]int {
	s := &sessioning{open: map[int][]session{}}
	s.windows = &j.windows
	for _, part := range j.parts.Rows {
		for _, row := range part {
			s.add(row)
		}
	}
	all := map[window][]int{}
	for key, open := range s.open {
		for _, one := range open {
			all[window{key, one.start}] = slices.Sorted(slices.Values(one.ids))
		}
	}
	return all
}

func TestAJobWithSessionsKilledAnywhereEndsWithTheTableOfOneThatWasNot(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		j := someWindowJob(rt, false)
		j.gap = rapid.IntRange(1, 15).Draw(rt, "gap")
		j.untilComplete(t, rt)
		require.Equal(rt, j.wholeSessions(), j.table())
		require.Empty(rt, j.lateRows)
	})
}

// Key 0 has one session all the time, so its first row holds the frontier back: what is durable of
// key 1 is known by key.
func longSession() *windowJob {
	j := newWindowJob(1, 1, []reading{
		{0, 0, 0}, {1, 1, 1}, {2, 0, 8}, {3, 0, 16}, {4, 1, 17}, {5, 0, 24}, {6, 2, 25}, {7, 0, 32}, {8, 3, 33}, {9, 0, 40}, {10, 0, 60},
	})
	j.gap, j.parts.PageRows = 10, 1
	return j
}

func TestSessionsOfAKeyThatAreDurableAreNotGivenAgainInPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := longSession()
		j.killed(t, 7)
		frontier := j.state(t).Frontiers[0]
		require.Equal(t, int64(9_999_999), *frontier.UpTo, "just before the end of the first row alone")
		require.Len(t, frontier.Sessions, 1)
		require.Equal(t, hashed(1), string(frontier.Sessions[0].Key))
		require.Equal(t, int64(11_000_000), frontier.Sessions[0].End)
		require.Equal(t, []int{1}, j.table()[window{1, 1}])
		before := len(j.to.durable)

		j.completes(t)
		require.Equal(t, j.wholeSessions(), j.table())
		require.Empty(t, j.lateRows)
		for _, row := range j.to.durable[before:] {
			require.NotEqual(t, window{1, 1}, row.window, "given again")
		}
	})
}

func TestAJobThatHasTheEndsOfTooManySessionsEndsWithAnErrorThatSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := longSession()
		j.opts = []rxcql.CheckpointOption{rxcql.CheckpointSessions(1)}
		_, err := j.run(context.Background())
		require.ErrorIs(t, err, flow.ErrFrontierFull)
		require.ErrorContains(t, err, "Sessions")
		require.ErrorContains(t, err, "CheckpointSessions")
		require.NotContains(t, err.Error(), "hash of")
	})
	synctest.Test(t, func(t *testing.T) {
		j := longSession()
		j.opts = []rxcql.CheckpointOption{rxcql.CheckpointSessions(2)}
		j.completes(t)
		require.Equal(t, j.wholeSessions(), j.table())
	})
}
