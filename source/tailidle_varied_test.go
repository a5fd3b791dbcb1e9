package source_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

func TestAQuietTableIsIdleWherePollsVary(t *testing.T) {
	for name, takes := range map[string][]time.Duration{
		"one of eight":   {0, 0, 0, 0, 0, 0, 0, 7 * time.Second},
		"seven of eight": {8 * time.Second, 7 * time.Second, 8 * time.Second, 7 * time.Second, 8 * time.Second, 7 * time.Second, 8 * time.Second, 0},
		"2 to 9 s":       {2 * time.Second, 9 * time.Second, 4 * time.Second, 7 * time.Second, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inTrouble(t, 10*time.Second, nil, func(t *testing.T, f *troubled) {
				n := 0
				f.slowed(func(r *cqlfake.Request) time.Duration {
					if !ofTable(r) {
						return 0
					}
					if n++; n%2 == 1 { // two shards a poll
						return 0
					}
					return takes[n/2%len(takes)]
				})
				time.Sleep(time.Hour)
				_, _, mark := f.seen()
				if assert.True(t, mark.Known(), "in an hour it is never idle") {
					assert.Less(t, time.Since(mark.Time()), 5*time.Minute)
				}
			})
		})
	}
}

// Both clocks go on by steps, as where a machine is paused.
func TestAQuietTableIsIdleThoughItsMachineIsPausedAgainAndAgain(t *testing.T) {
	inTrouble(t, 10*time.Second, nil, func(t *testing.T, f *troubled) {
		ahead := time.Duration(0)
		for range 200 {
			time.Sleep(8 * time.Second)
			ahead += 7 * time.Second // the monotonic clock stands still meanwhile
			f.jump(ahead, ahead)
		}
		_, _, mark := f.seen()
		assert.True(t, mark.Known(), "it is never idle")
	})
}

func TestAQuietTableIsIdleThoughASinkStallsNowAndThen(t *testing.T) {
	inTrouble(t, 10*time.Second, nil, func(t *testing.T, f *troubled) {
		for range 300 {
			time.Sleep(5 * time.Second)
			f.stall.Store(int64(7 * time.Second))
			f.nextPage()
			f.stall.Store(0)
			time.Sleep(7 * time.Second)
		}
		_, _, mark := f.seen()
		assert.True(t, mark.Known(), "in an hour it is never idle")
	})
}
