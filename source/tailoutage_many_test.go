package source_test

import (
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// outages has requests fail again and again, and lets a page through between them.
func (f *troubled) outages(n int, lasts, between time.Duration) {
	for range n {
		f.down.Store(true)
		time.Sleep(lasts)
		f.down.Store(false)
		f.nextPage()
		time.Sleep(between)
	}
}

// With a delay, event time comes to an outage long after it: others have followed.
func TestNothingIsLateByOutagesThatADelayHasYetToReach(t *testing.T) {
	for _, more := range []int{3, 4, 5} {
		for _, delay := range []time.Duration{time.Minute, 12 * time.Minute} {
			t.Run(strconv.Itoa(more)+" "+delay.String(), func(t *testing.T) {
				inTrouble(t, 10*time.Second, []source.TailOption{source.Delay(delay)}, func(t *testing.T, f *troubled) {
					f.match = ofAny
					time.Sleep(30 * time.Minute)
					happened := time.Now().Add(time.Second)
					f.outages(1, 45*time.Second, 2500*time.Millisecond)
					f.write(happened)
					for range more {
						f.outages(1, 30*time.Second, 2*time.Minute)
					}
					time.Sleep(20 * time.Minute)
					f.nothingLate(t)
				})
			})
		}
	}
}

// Writers need a minute, and have a moment between two outages.
func TestNothingIsLateByManyOutages(t *testing.T) {
	for _, n := range []int{4, 5, 6, 20} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			inTrouble(t, time.Minute, nil, func(t *testing.T, f *troubled) {
				f.match = ofAny
				time.Sleep(30 * time.Minute)
				happened := time.Now().Add(time.Second)
				f.outages(n, 30*time.Second, 2*time.Second)
				f.write(happened)
				time.Sleep(5 * time.Minute)
				f.nothingLate(t)
			})
		})
	}
}

// Servers are frozen: requests take long, and none fails.
func TestNothingIsLateByServersThatAreFrozenAgainAndAgain(t *testing.T) {
	for _, n := range []int{1, 5, 9} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			inTrouble(t, time.Minute, nil, func(t *testing.T, f *troubled) {
				time.Sleep(30 * time.Minute)
				happened := time.Now().Add(time.Second)
				for range n {
					thaw := time.Now().Add(9 * time.Second)
					f.slowed(func(r *cqlfake.Request) time.Duration {
						if ofAny(r) {
							return max(0, time.Until(thaw))
						}
						return 0
					})
					time.Sleep(time.Until(thaw))
					f.nextPage()
					time.Sleep(2 * time.Second)
				}
				f.slowed(nil)
				f.write(happened)
				time.Sleep(5 * time.Minute)
				f.nothingLate(t)
			})
		})
	}
}

func TestNothingIsLateByOutagesAfterAJobIsStartedAgain(t *testing.T) {
	for _, outages := range []int{0, 3, 4, 6} {
		t.Run(strconv.Itoa(outages), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newTroubled(t)
				f.match = ofAny
				job := rxcql.WithCheckpoint(checkpoint.File(filepath.Join(t.TempDir(), "cp")), "job")
				stop := f.start(t, time.Minute, nil, job)
				time.Sleep(10 * time.Minute)
				stop()
				happened := time.Now().Add(time.Second) // while nothing runs
				f.mark = flow.Watermark{}
				time.Sleep(5 * time.Minute)
				defer f.start(t, time.Minute, nil, job)()
				time.Sleep(2 * time.Second)
				f.outages(outages, 30*time.Second, 2*time.Second)
				f.write(happened)
				time.Sleep(5 * time.Minute)
				f.nothingLate(t)
			})
		})
	}
}
