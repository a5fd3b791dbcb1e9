package flow_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// reader is a stage that reads, and the run's job: both note what they are told.
type reader struct {
	receipts, pages, done  int
	holds                  bool
	flushes, owed, settled int
	begun, ended           int
	paused                 error
	finished, caughtUp     []*flow.Track
	rows, bytes            int64
}

func (r *reader) Receipt() *flow.Receipt {
	r.receipts++
	return flow.NewReceipt(nil)
}

func (r *reader) CountPage(rows int, bytes int64) {
	r.pages++
	r.rows += int64(rows)
	r.bytes += bytes
}

func (r *reader) CountRangeDone() { r.done++ }
func (r *reader) Holds() bool     { return r.holds }

func (r *reader) RequestFlush() (done func()) {
	r.flushes++
	return func() { r.flushes-- }
}

func (r *reader) Deliver(context.Context) error {
	r.begun++
	return r.paused
}

func (r *reader) Delivered()                    { r.ended++ }
func (r *reader) Owed()                         { r.owed++ }
func (r *reader) Settled()                      { r.settled++ }
func (r *reader) Finished(t *flow.Track)        { r.finished = append(r.finished, t) }
func (r *reader) CaughtUp(t *flow.Track)        { r.caughtUp = append(r.caughtUp, t) }
func keep(kept *[]*flow.Reservation) keepsPages { return keepsPages{kept} }

// keepsPages takes a hold on every page, and gives it back when the test says so.
type keepsPages struct{ kept *[]*flow.Reservation }

func (k keepsPages) Next(_ context.Context, p *flow.Page[int]) error {
	reservation := flow.NewBudget(1<<20).Account("kept", true).Reservation()
	reservation.Take(p.Reservation, 0)
	*k.kept = append(*k.kept, reservation)
	return nil
}

func (k keepsPages) Done(context.Context, bool) error { return nil }

// deliver hands on a page of so many rows, with a state behind it.
func deliver(t *testing.T, track *flow.Track, rows int, next string, last bool, out flow.Observer[int]) error {
	t.Helper()
	p := &flow.Page[int]{Rows: make([]int, rows), Reservation: flow.NewBudget(1<<20).Account("page", true).Reservation()}
	p.Last = last
	return flow.Deliver(t.Context(), track, p, int64(rows), []byte(next), out)
}

func TestAPartStandsBehindThePagesThatAreSettledWithoutAGap(t *testing.T) {
	var r reader
	var kept []*flow.Reservation
	from := flow.Part{Range: flow.TokenRange{Start: 1, End: 9}, Pages: 3, Rows: 30, State: []byte("a"), Snapshots: map[string][]byte{"s": {1}}}
	track := flow.NewTrack(&r, &r, from, false)
	pages, state := track.From()
	require.EqualValues(t, 3, pages)
	require.Equal(t, "a", string(state))
	require.EqualValues(t, 30, track.Rows())
	require.Equal(t, from.Range, track.Range())

	require.NoError(t, deliver(t, track, 2, "b", false, keep(&kept)))
	require.NoError(t, deliver(t, track, 0, "c", false, keep(&kept)))
	require.NoError(t, deliver(t, track, 5, "", true, keep(&kept)))
	require.Equal(t, []int{3, 7, 3, 3, 3, 1}, []int{r.pages, int(r.rows), r.owed, r.begun, r.ended, r.done})
	require.Zero(t, r.settled)
	first, after := kept[2].RowSpan()
	require.Equal(t, []int64{32, 37}, []int64{first, after})
	require.Equal(t, []byte{1}, kept[0].Restored("s"))
	kept[0].Snapshot("s", []byte{2})

	kept[1].Settle() // not the first
	part, done := track.Part()
	require.Equal(t, from, part)
	require.False(t, done)
	kept[0].Settle()
	part, done = track.Part()
	require.Equal(t, flow.Part{Range: from.Range, Pages: 5, Rows: 32, State: []byte("c"), Snapshots: map[string][]byte{"s": {2}}}, part)
	require.False(t, done)
	require.Empty(t, r.finished)
	require.Equal(t, []byte{1}, kept[2].Restored("s"), "what an earlier run left stays")

	kept[2].Settle()
	part, done = track.Part()
	require.EqualValues(t, 37, part.Rows)
	require.True(t, done)
	require.Equal(t, []*flow.Track{track}, r.finished)
	require.Equal(t, 3, r.settled)
}

func TestAPageThatFailedStaysUnsettledForEver(t *testing.T) {
	var r reader
	track := flow.NewTrack(&r, &r, flow.Part{}, false)
	failing := failsWith{errTest}
	require.Equal(t, errTest, deliver(t, track, 1, "b", true, failing))
	part, done := track.Part()
	require.Zero(t, part.Pages)
	require.False(t, done)
	require.Zero(t, r.done, "it was not read to its end")

	r.paused = errTest
	require.Equal(t, errTest, deliver(t, track, 1, "c", false, failsWith{nil}))
	require.Equal(t, 1, r.pages, "what was not handed on was not read")
}

type failsWith struct{ err error }

func (f failsWith) Next(context.Context, *flow.Page[int]) error { return f.err }
func (f failsWith) Done(context.Context, bool) error            { return nil }

func TestRoomEndsWhereTooManyPagesAreNotSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r reader
		var kept []*flow.Reservation
		track := flow.NewTrack(&r, &r, flow.Part{}, false)
		for range 64 {
			require.NoError(t, track.AwaitRoom(t.Context()))
			require.NoError(t, deliver(t, track, 1, "b", false, keep(&kept)))
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		room := make(chan error, 1)
		go func() { room <- track.AwaitRoom(ctx) }()
		synctest.Wait()
		require.Equal(t, 1, r.flushes, "who lets rows linger is told")
		kept[1].Settle()
		synctest.Wait()
		require.Empty(t, room, "the first is not settled yet")
		kept[0].Settle()
		require.NoError(t, <-room)
		require.Zero(t, r.flushes)

		require.NoError(t, deliver(t, track, 1, "b", false, keep(&kept)))
		require.NoError(t, deliver(t, track, 1, "b", false, keep(&kept)))
		go func() { room <- track.AwaitRoom(ctx) }()
		synctest.Wait()
		cancel(errTest)
		require.Equal(t, errTest, <-room)
		r.holds = true
		require.NoError(t, track.AwaitRoom(t.Context()), "a stage that holds rows may need any number")
	})
}

func TestWithoutACheckpointAPartOwesReceiptsOfTheStageAlone(t *testing.T) {
	var r reader
	track := flow.NewTrack(&r, nil, flow.Part{Range: flow.WholeRange}, false)
	for range 100 {
		require.NoError(t, track.AwaitRoom(t.Context()))
		require.NoError(t, deliver(t, track, 1, "", false, failsWith{nil}))
	}
	require.Equal(t, []int{100, 100, 0, 0}, []int{r.receipts, r.pages, r.owed, r.begun})
}

func TestAPartThatCannotBeFollowedFailsFromTheStart(t *testing.T) {
	track := flow.NewBrokenTrack(flow.WholeRange, errTest)
	require.Equal(t, errTest, track.AwaitRoom(t.Context()))
	require.Equal(t, errTest, deliver(t, track, 1, "b", false, failsWith{nil}))
	require.Equal(t, flow.WholeRange, track.Range())
}

func TestAPartOfASourceThatMayGrowIsDoneWhenNothingFollows(t *testing.T) {
	for next, want := range map[string]bool{"at 9": false, "": true} {
		var r reader
		track := flow.NewTrack(&r, &r, flow.Part{}, true)
		require.NoError(t, deliver(t, track, 1, next, true, failsWith{nil}))
		part, done := track.Part()
		require.Equal(t, want, done)
		require.Equal(t, next, string(part.State))
	}
}

func TestTheStateOfATrackIsFoldedInTheOrderOfThePagesAndOnlyOfThoseThatAreSettled(t *testing.T) {
	var r reader
	var kept []*flow.Reservation
	track := flow.NewTrack(&r, &r, flow.Part{Range: flow.WholeRange, Pages: 1, State: []byte("a")}, false)
	track.Fold(adding)
	for _, next := range []string{"b", "c", "", "d"} {
		require.NoError(t, deliver(t, track, 1, next, false, keep(&kept)))
	}
	state := func() string {
		part, _ := track.Part()
		return string(part.State)
	}
	for i, want := range map[int]string{1: "a", 3: "a"} {
		kept[i].Settle()
		require.Equal(t, want, state())
	}
	kept[0].Settle()
	require.Equal(t, "abc", state())
	kept[2].Settle()
	require.Equal(t, "abcd", state())
}

// adding makes a state of all that pages were delivered with.
func adding() func(state, next []byte) []byte {
	return func(state, next []byte) []byte { return append(append([]byte{}, state...), next...) }
}

func TestAStateThatIsFoldedIsThatOfWhatIsReadToo(t *testing.T) {
	var r reader
	var kept []*flow.Reservation
	track := flow.NewTrack(&r, &r, flow.Part{State: []byte("a"), Pages: 1}, false)
	track.KeepReadState()
	track.Fold(adding)
	require.NoError(t, deliver(t, track, 1, "b", false, failsWith{nil}))
	require.NoError(t, deliver(t, track, 2, "c", false, keep(&kept)))
	require.NoError(t, deliver(t, track, 3, "d", false, failsWith{nil}))
	part, _ := track.Part()
	require.Equal(t, "ab", string(part.State))
	rows, state := track.Read()
	require.EqualValues(t, 1, rows, "a stage keeps rows of the second page")
	require.Equal(t, "ab", string(state))
	kept[0].Settle()
	part, _ = track.Part()
	rows, state = track.Read()
	require.EqualValues(t, 6, rows)
	require.Equal(t, "abcd", string(state))
	require.Equal(t, "abcd", string(part.State))
}
