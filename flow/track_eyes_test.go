package flow_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/flow"
)

// A window is open for a day, and most pages have no rows of it: they are settled at once.
func TestPagesThatAreSettledTakeNoMemoryWhileOneBeforeThemIsHeld(t *testing.T) {
	for name, fold := range map[string]bool{"states": false, "a state that is folded": true} {
		t.Run(name, func(t *testing.T) {
			r := &reader{holds: true}
			track := flow.NewTrack(r, r, flow.Part{Range: flow.WholeRange}, false)
			if fold {
				track.KeepReadState()
				track.Fold(adding)
			}
			var kept []*flow.Reservation
			require.NoError(t, deliver(t, track, 1, "a", false, keep(&kept)))
			most := 0
			for i := range 100_000 {
				next := ""
				if i%100 == 0 || !fold {
					next = "b"
				}
				if i%10_000 == 0 {
					require.NoError(t, deliver(t, track, 1, next, false, keep(&kept)))
					continue
				}
				require.NoError(t, deliver(t, track, 1, next, false, taking(func(*flow.Page[int]) error { return nil })))
				most = max(most, track.Beyond())
			}
			if fold {
				require.Less(t, most, 5000)
			} else {
				require.Less(t, most, 200)
			}
			for _, reservation := range kept {
				reservation.Settle()
			}
			part, _ := track.Part()
			require.EqualValues(t, 100_001, part.Pages)
			require.EqualValues(t, 100_001, part.Rows)
			require.Zero(t, track.Beyond())
			rows, state := track.Read()
			require.EqualValues(t, 100_001, rows)
			require.Equal(t, part.State, state)
			if fold {
				require.Len(t, state, 1001)
			}
		})
	}
}

// Each page has rows that a source remembers, as those of a tail have.
func TestPagesThatAreSettledAndChangeTheStateTakeNoMemoryWhileOneBeforeThemIsHeld(t *testing.T) {
	r := &reader{holds: true}
	track := flow.NewTrack(r, r, flow.Part{Range: flow.WholeRange}, false)
	track.KeepReadState()
	track.Fold(func() func(state, next []byte) []byte { // it is the latest
		return func(state, next []byte) []byte { return slices.Clone(next[max(0, len(next)-1):]) }
	})
	longest := 0
	track.Shorten(func(records []byte) []byte {
		longest = max(longest, len(records))
		return records[len(records)-1:]
	})
	var kept []*flow.Reservation
	require.NoError(t, deliver(t, track, 1, "a", false, keep(&kept)))
	most := 0
	for i := range 10_000 {
		require.NoError(t, deliver(t, track, 1, string('a'+rune(i%26)), false, taking(func(*flow.Page[int]) error { return nil })))
		most = max(most, track.Beyond())
	}
	require.Less(t, most, 200)
	require.Less(t, longest, 200)
	last := string('a' + rune(9_999%26))
	kept[0].Settle()
	_, state := track.Read()
	require.Equal(t, last, string(state))
	part, _ := track.Part()
	require.EqualValues(t, 10_001, part.Pages)
	require.EqualValues(t, 10_001, part.Rows)
	require.Equal(t, last, string(part.State))
	require.Zero(t, track.Beyond())
}

// A tail may remember a million rows, and have little to forget.
func TestWhatPagesSayThatWaitIsMadeShorterForAConstantAByte(t *testing.T) {
	r := &reader{holds: true}
	track := flow.NewTrack(r, r, flow.Part{Range: flow.WholeRange}, false)
	track.Fold(adding)
	given := 0
	track.Shorten(func(records []byte) []byte {
		given += len(records)
		return slices.Clone(records)
	})
	var kept []*flow.Reservation
	require.NoError(t, deliver(t, track, 1, "a", false, keep(&kept)))
	const pages = 100_000
	for range pages {
		require.NoError(t, deliver(t, track, 1, "b", false, taking(func(*flow.Page[int]) error { return nil })))
	}
	require.Greater(t, given, pages/2)
	require.Less(t, given, 3*pages)
	kept[0].Settle()
	part, _ := track.Part()
	require.Len(t, part.State, 1+pages)
}

func TestATrackThatJoinsPagesSaysWhatOneSaysThatDoesNot(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		grows, folds := rapid.Bool().Draw(rt, "grows"), rapid.Bool().Draw(rt, "folds")
		shortens := rapid.Bool().Draw(rt, "shortens")
		from := flow.Part{Range: flow.WholeRange}
		if rapid.Bool().Draw(rt, "goes on") {
			from.Pages, from.Rows, from.State, from.Read, from.ReadState = 2, 5, []byte("s"), 20, []byte("r")
		}
		both := [2]*followed{{}, {}}
		for _, f := range both {
			f.read.holds = true
			f.Track = flow.NewTrack(&f.read, &f.read, from, grows)
			if folds {
				f.KeepReadState()
				f.Fold(adding)
				if shortens && f == both[1] {
					f.Shorten(slices.Clone)
				}
			}
			budget := flow.NewBudget(1 << 20)
			past := budget.Task()
			past.Past()
			f.mine, f.past = budget.Account("before windows", true), past.Account("windows", true)
		}
		same := func() {
			a, b := both[0], both[1]
			partA, doneA := a.Part()
			partB, doneB := b.Part()
			require.Equal(rt, partA, partB)
			require.Equal(rt, doneA, doneB)
			rowsA, stateA := a.Read()
			rowsB, stateB := b.Read()
			require.Equal(rt, rowsA, rowsB)
			require.Equal(rt, stateA, stateB)
			require.Equal(rt, []int{len(a.read.caughtUp), len(a.read.finished), a.read.settled}, []int{len(b.read.caughtUp), len(b.read.finished), b.read.settled})
		}
		steps := rapid.IntRange(1, 60).Draw(rt, "steps")
		for i := range steps {
			if rapid.Bool().Draw(rt, "a page comes") {
				rows, last := rapid.IntRange(0, 3).Draw(rt, "rows"), i == steps-1
				next := fmt.Sprint(i, ",")
				if folds && rapid.Bool().Draw(rt, "that changes nothing") {
					next = ""
				}
				before, behind := rapid.Bool().Draw(rt, "held before windows"), rapid.Bool().Draw(rt, "held by windows")
				snapshot := rapid.IntRange(0, 3).Draw(rt, "snapshot")
				for _, f := range both {
					require.NoError(rt, deliver(t, f.Track, rows, next, last, taking(func(p *flow.Page[int]) error {
						if snapshot > 0 {
							p.Snapshot(fmt.Sprint("stage ", snapshot), []byte{byte(i)})
						}
						if before {
							f.keep(f.mine, p)
						}
						if behind {
							f.keep(f.past, p)
						}
						return nil
					})))
				}
			} else if n := len(both[0].kept); n > 0 {
				at := rapid.IntRange(0, n-1).Draw(rt, "settled")
				for _, f := range both {
					f.kept[at].Settle()
					f.kept = append(f.kept[:at], f.kept[at+1:]...)
				}
			}
			if rapid.Bool().Draw(rt, "joins") {
				both[1].Compact()
			}
			same()
		}
	})
}

// followed is a track, and what is kept of its pages.
type followed struct {
	*flow.Track
	read       reader
	kept       []*flow.Reservation
	mine, past *flow.Account
}

func (f *followed) keep(by *flow.Account, p *flow.Page[int]) {
	reservation := by.Reservation()
	reservation.Take(p.Reservation, 0)
	f.kept = append(f.kept, reservation)
}
