package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// of is a post with a reading of each of some devices.
func of(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "{\"device\":%q,\"at\":%q,\"value\":1}\n", name, time.Now().Format(time.RFC3339))
	}
	return b.String()
}

// One client must not fill the windows of all by names that it makes up.
func TestAFloodOfNewNamesIsRefusedAndDevicesThatAreKnownGoOn(t *testing.T) {
	cfg := configured(t, "--devices", "5")
	taken(t, cfg, func(in taking) {
		status, _, _ := in.post(of("a", "b", "c"))
		require.Equal(t, http.StatusOK, status)
		for n := range 100 {
			status, got, retryAfter := in.post(of("a", fmt.Sprint("made up ", n), fmt.Sprint("and ", n), fmt.Sprint("also ", n)))
			require.Equal(t, http.StatusTooManyRequests, status)
			require.Equal(t, []string{fmt.Sprint("also ", n)}, got.Devices, "the others would have had a place")
			for _, words := range []string{"--devices", "5 have a place", "Nothing is written", "without them"} {
				require.Contains(t, got.Error, words)
			}
			require.Equal(t, "600", retryAfter)
		}
		require.Len(t, in.rows(t), 3, "nothing of these was written")
		require.EqualValues(t, 3, in.devices.known(), "a post that is refused takes no place")
		status, _, _ = in.post(of("d", "e", "a"))
		require.Equal(t, http.StatusOK, status)
		status, got, _ := in.post(of("f"))
		require.Equal(t, http.StatusTooManyRequests, status)
		require.Equal(t, []string{"f"}, got.Devices)
		status, _, _ = in.post(of("e", "d", "c", "b", "a"))
		require.Equal(t, http.StatusOK, status, "those that are known go on")
	})
}

func TestNamesOfLongAgoDoNotCount(t *testing.T) {
	taken(t, configured(t, "--devices", "2"), func(in taking) {
		status, _, _ := in.post(of("old", "steady"))
		require.Equal(t, http.StatusOK, status)
		for range 4 { // half an hour each
			status, _, _ = in.post(of("new"))
			require.Equal(t, http.StatusTooManyRequests, status)
			time.Sleep(29 * time.Minute)
			status, _, _ = in.post(of("steady"))
			require.Equal(t, http.StatusOK, status)
		}
		time.Sleep(10 * time.Minute)
		status, _, _ = in.post(of("new"))
		require.Equal(t, http.StatusOK, status)
		status, _, _ = in.post(of("old"))
		require.Equal(t, http.StatusTooManyRequests, status, "its place has been given away")
	})
}

// Else whoever makes up names would only have to wait for the next deploy.
func TestWhoIsKnownIsKnownAfterARestart(t *testing.T) {
	cfg := configured(t, "--devices", "3")
	taken(t, cfg, func(in taking) {
		for _, names := range []string{of("a", "b"), of("c"), of("a")} {
			status, _, _ := in.post(names)
			require.Equal(t, http.StatusOK, status)
		}
		time.Sleep(time.Hour)
		status, _, _ := in.post(of("c"))
		require.Equal(t, http.StatusOK, status)

		again := in.again(t)
		require.EqualValues(t, 3, again.devices.known())
		_, refused := again.devices.admit([]Reading{{Device: "x"}}, time.Now())
		require.NotNil(t, refused)
		_, refused = again.devices.admit([]Reading{{Device: "b"}}, time.Now())
		require.Nil(t, refused)

		time.Sleep(time.Hour) // c has sent in the hour before, the others have not
		require.EqualValues(t, 1, in.again(t).devices.known())
		cfg.devices = 1
		lower := newIngest(in.session, "rollup", cfg, newMetrics())
		require.NoError(t, lower.devices.load(context.Background(), in.session, "rollup"))
		_, refused = lower.devices.admit([]Reading{{Device: "a"}}, time.Now())
		require.NotNil(t, refused)
	})
}

func TestAPostThatIsNotAcknowledgedRegistersItsDevicesAgain(t *testing.T) {
	taken(t, configured(t), func(in taking) {
		first, refused := in.devices.admit([]Reading{{Device: "a"}, {Device: "a"}, {Device: "b"}}, time.Now())
		require.Nil(t, refused)
		require.Len(t, first, 2)
		again, _ := in.devices.admit([]Reading{{Device: "a"}}, time.Now())
		require.Len(t, again, 1, "it is not known that the table has it")
		in.devices.kept(again)
		again, _ = in.devices.admit([]Reading{{Device: "a"}}, time.Now())
		require.Empty(t, again)
	})
}

// A tail remembers what has arrived within its overlap, so many readings and no more.
func TestAFloodOfReadingsOfOneDeviceIsRefusedAndOthersGoOn(t *testing.T) {
	cfg := configured(t)
	cfg.limits.lines = 100
	taken(t, cfg, func(in taking) {
		acknowledged, refused := 0, 0
		begun := time.Now()
		for range 1000 {
			status, got, retryAfter := in.post(strings.Repeat(of("flood"), 100))
			if status == http.StatusOK {
				acknowledged += 100
				continue
			}
			require.Equal(t, http.StatusTooManyRequests, status)
			require.Equal(t, []string{"flood"}, got.Devices)
			require.Contains(t, got.Error, "1000 a second")
			require.Equal(t, "5", retryAfter)
			refused++
			status, _, _ = in.post(of("quiet"))
			require.Equal(t, http.StatusOK, status)
			time.Sleep(10 * time.Millisecond)
		}
		require.Positive(t, refused)
		most := 100 + mostPerSecond*time.Since(begun).Seconds()
		require.LessOrEqual(t, float64(acknowledged), most)
		require.Greater(t, float64(acknowledged), most/2, "it may send as much as it can measure")
	})
}

// Else a device that sends too much would take it from those whose readings come in the same posts.
func TestAPostThatIsRefusedTakesNothingFromWhatItsDevicesMaySend(t *testing.T) {
	cfg := configured(t)
	cfg.limits.lines = 100
	taken(t, cfg, func(in taking) {
		post := func(flood, quiet int) (int, answer) {
			status, got, _ := in.post(strings.Repeat(of("quiet"), quiet) + strings.Repeat(of("flood"), flood))
			return status, got
		}
		status, _ := post(99, 1)
		require.Equal(t, http.StatusOK, status)
		for range 10 {
			status, got := post(50, 50)
			require.Equal(t, http.StatusTooManyRequests, status)
			require.Equal(t, []string{"flood"}, got.Devices)
		}
		status, _ = post(0, 99)
		require.Equal(t, http.StatusOK, status)
		status, _ = post(0, 99)
		require.Equal(t, http.StatusTooManyRequests, status, "these were all, and few have come since")
	})
}

func TestWhatIsAcknowledgedWithinAnOverlapIsWhatTheTailRemembersAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, deadline := range []string{"10ms", "2s", "1m", "1h"} {
			cfg := configured(t, "--write-deadline", deadline)
			d := newDevices(cfg)
			var came []time.Time // a hundred readings each
			for n := range 4000 {
				readings := make([]Reading, 100)
				for i := range readings {
					readings[i].Device = fmt.Sprint(n % 100)
				}
				if _, refused := d.admit(readings, time.Now()); refused == nil {
					came = append(came, time.Now())
				} else {
					require.Empty(t, refused.answer.Devices)
					require.Contains(t, refused.answer.Error, "of all devices together")
				}
				time.Sleep(cfg.overlap() / 2000)
			}
			first := 0
			for last, at := range came {
				for at.Sub(came[first]) > cfg.overlap() {
					first++
				}
				require.LessOrEqual(t, 100*(last-first+1), cfg.limits.remembered*3/4+100, deadline)
			}
			require.Greater(t, len(came), 1000, deadline)
		}
	})
}
