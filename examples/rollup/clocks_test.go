package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The clock by which deadlines go stands still while the machine sleeps, as a virtual one does that
// is moved. The servers' clocks do not, and neither does a tail elsewhere.
func TestAPostThatWasAsleepIsNotAcknowledged(t *testing.T) {
	taken(t, configured(t), func(in taking) {
		asleep := in.newPost([]Reading{{Device: "asleep", At: time.Now()}})
		asleep.clock = asleep.clock.Add(-in.cfg.writeDeadline - time.Second)
		in.posts <- asleep
		<-asleep.written
		require.Empty(t, in.rows(t))
		require.False(t, in.acknowledged(asleep))
	})
}

// The tail gives these readings when their time has come. By then they would have expired.
func TestReadingsThatExpireBeforeTheirTimeComesAreNotTaken(t *testing.T) {
	taken(t, configured(t), func(in taking) {
		in.latest = time.Now().Add(farAhead + time.Minute) // and then the clock was set back
		status, got, _ := in.post(lines(1))
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Contains(t, got.Error, "clock")
		require.Empty(t, in.rows(t))
		time.Sleep(2 * time.Minute)
		status, _, _ = in.post(lines(1))
		require.Equal(t, http.StatusOK, status)
	})
}
