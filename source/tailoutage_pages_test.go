package source_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// Pages from between two outages are taken when the second one is known.
func TestNothingIsLateByTwoOutagesAndABufferThatIsFull(t *testing.T) {
	for _, stall := range []time.Duration{0, 150 * time.Second} {
		t.Run(stall.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newTroubled(t)
				f.before = func(in rxcql.Stream[arrival]) rxcql.Stream[arrival] {
					return operators.Buffer(in, 1000, rxcql.OverflowBlock)
				}
				defer f.start(t, 10*time.Second, nil)()
				time.Sleep(time.Minute)
				f.stall.Store(int64(stall))
				f.nextPage()
				f.stall.Store(0)
				f.down.Store(true)
				happened := time.Now().Add(time.Second)
				time.Sleep(45 * time.Second)
				f.down.Store(false)
				time.Sleep(5500 * time.Millisecond)
				f.write(happened)
				time.Sleep(20 * time.Second)
				f.down.Store(true)
				time.Sleep(45 * time.Second)
				f.down.Store(false)
				time.Sleep(time.Minute)
				f.nothingLate(t)
			})
		})
	}
}

// The first poll of the run that goes on may be one that fails for long.
func TestNothingIsLateByAnOutageInWhichAJobIsStartedAgain(t *testing.T) {
	for kind, match := range map[string]func(*cqlfake.Request) bool{"any": ofAny, "table": ofTable, "clock": ofClock} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newTroubled(t)
				f.match = match
				job := rxcql.WithCheckpoint(checkpoint.File(filepath.Join(t.TempDir(), "cp")), "job")
				stop := f.start(t, 10*time.Second, nil, job)
				time.Sleep(time.Minute)
				f.down.Store(true)
				happened := time.Now().Add(time.Second)
				time.Sleep(20 * time.Second)
				stop()
				f.down.Store(true)
				f.mark = flow.Watermark{}
				defer f.start(t, 10*time.Second, nil, job)()
				time.Sleep(30 * time.Second)
				f.down.Store(false)
				f.nextPage()
				time.Sleep(7 * time.Second)
				f.write(happened)
				time.Sleep(time.Minute)
				f.nothingLate(t)
				_, _, mark := f.seen()
				assert.Less(t, time.Since(mark.Time()), 15*time.Second)
			})
		})
	}
}

// All clocks are an hour ahead for some seconds, in which a row comes, or are so when the tail
// begins.
func TestAQuietTableIsIdleThoughClocksWereAhead(t *testing.T) {
	for name, test := range map[string]func(f *troubled){
		"for a while": func(f *troubled) {
			time.Sleep(time.Minute)
			f.jump(time.Hour, time.Hour)
			time.Sleep(1500 * time.Millisecond)
			f.write(time.Now())
			time.Sleep(3 * time.Second)
		},
		"from the beginning": func(f *troubled) {
			f.jump(time.Hour, time.Hour)
			time.Sleep(5 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inTrouble(t, 10*time.Second, nil, func(t *testing.T, f *troubled) {
				test(f)
				f.jump(0, 0)
				time.Sleep(30 * time.Minute)
				_, _, mark := f.seen()
				assert.Less(t, time.Since(mark.Time()), 5*time.Minute)
			})
		})
	}
}

// A tail that gives up in an outage is read again.
func TestNothingIsLateByAnOutageInWhichATailIsReadAgain(t *testing.T) {
	for _, lasts := range []time.Duration{12 * time.Second, 45 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			f := newTroubled(t)
			f.match = ofAny
			f.before = func(in rxcql.Stream[arrival]) rxcql.Stream[arrival] {
				return operators.Retry(in, operators.RetryIf(func(error) bool { return true }), operators.RetryAttempts(0), operators.RetryDelay(time.Second, 3*time.Second))
			}
			defer f.start(t, 10*time.Second, nil, rxcql.WithRetry(time.Second, 2))()
			time.Sleep(10 * time.Minute)
			f.nothingLateByAnOutage(t, lasts)
		})
	}
}
