package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ids are those of the events of a chunk.
func ids(chunk []byte) (all []string) {
	for line := range strings.Lines(string(chunk)) {
		if id, found := strings.CutPrefix(line, "id: "); found {
			all = append(all, strings.TrimSpace(id))
		}
	}
	return all
}

func pageOf(ends ...int64) (rows []Rollup) {
	for _, end := range ends {
		rows = append(rows, Rollup{Device: "a", Until: time.UnixMilli(end)})
	}
	return rows
}

func TestWindowsGoToWatchersWhenTheyAreDurableInTheOrderOfTheStream(t *testing.T) {
	h := newHub(10)
	w := h.watch()
	first, second, third := h.announce(pageOf(1, 2)), h.announce(pageOf(3)), h.announce(pageOf(4))
	second()
	require.Empty(t, w.chunks, "the page before it is not durable")
	first()
	require.Equal(t, []string{"1", "2"}, ids(<-w.chunks))
	require.Equal(t, []string{"3"}, ids(<-w.chunks))
	require.Empty(t, w.chunks)
	third()
	require.Equal(t, []string{"4"}, ids(<-w.chunks))
	h.leave(w)
	h.leave(w) // it has left
}

func TestWhatAFailedRunHasAnnouncedHoldsNothingUp(t *testing.T) {
	h := newHub(10)
	lost, alsoLost := h.announce(pageOf(1)), h.announce(pageOf(2))
	h.reset()
	w := h.watch()
	again := h.announce(pageOf(1, 2))
	alsoLost()
	lost()
	require.Empty(t, w.chunks)
	again()
	require.Equal(t, []string{"1", "2"}, ids(<-w.chunks))
}

// Another instance may have made windows between two runs of this one. Who gets later ones and
// comes back with the id of these would never get those.
func TestWhoHasWatchedSinceAnEarlierRunLosesItsPlaceInsteadOfMissingWindows(t *testing.T) {
	h := newHub(10)
	h.reset()
	since := h.watch()
	h.reset()
	durable := h.announce(pageOf(9))
	require.Len(t, h.watchers, 1, "nothing is missed yet")
	now := h.watch()
	durable()
	_, open := <-since.chunks
	require.False(t, open, "it has to look into the table")
	require.Equal(t, []string{"9"}, ids(<-now.chunks))
}

func TestAWatcherThatIsTooFarBehindLosesItsPlaceAndHoldsUpNobody(t *testing.T) {
	h := newHub(2)
	slow, quick := h.watch(), h.watch()
	for end := range int64(5) {
		h.announce(pageOf(end))()
		require.Len(t, ids(<-quick.chunks), 1)
	}
	_, open := <-slow.chunks
	require.False(t, open, "what waited for it is gone too")
	require.Len(t, h.watchers, 1)
}

func TestAClosedHubSendsAllAway(t *testing.T) {
	h := newHub(2)
	before := h.watch()
	h.close()
	_, open := <-before.chunks
	require.False(t, open)
	_, open = <-h.watch().chunks
	require.False(t, open)
}
