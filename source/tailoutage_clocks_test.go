package source_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// All clocks are ahead for a moment, shorter than the overlap, and then servers are away.
func TestNothingIsLateByAnOutageThatBeginsWhileClocksAreAhead(t *testing.T) {
	for _, by := range []time.Duration{20 * time.Second, time.Minute, time.Hour} {
		for _, delay := range []time.Duration{0, 20 * time.Second} {
			t.Run(by.String()+" "+delay.String(), func(t *testing.T) {
				inTrouble(t, 10*time.Second, []source.TailOption{source.Delay(delay)}, func(t *testing.T, f *troubled) {
					f.match = ofAny
					time.Sleep(10*time.Minute + 500*time.Millisecond) // between two polls
					f.jump(by, by)
					f.nextPage()
					f.down.Store(true)
					happened := time.Now().Add(time.Second)
					time.Sleep(1500 * time.Millisecond)
					f.jump(0, 0)
					time.Sleep(45 * time.Second)
					f.down.Store(false)
					f.nextPage()
					time.Sleep(2500 * time.Millisecond)
					f.write(happened)
					time.Sleep(time.Minute)
					f.nothingLate(t)
				})
			})
		}
	}
}

// Clocks that were a little ahead are right, and jump by nearly two overlaps for a moment.
func TestNothingIsLateByAJumpAfterASmallerOneBack(t *testing.T) {
	const little = 4900 * time.Millisecond
	for _, first := range []time.Duration{0, little} {
		t.Run(strconv.Itoa(int(first)), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newTroubled(t)
				f.jump(first, first)
				defer f.start(t, 10*time.Second, nil)()
				time.Sleep(10 * time.Minute)
				f.jump(0, 0)
				time.Sleep(10 * time.Minute)
				f.nextPage()
				f.jump(2*little, 2*little)
				f.nextPage()
				f.jump(0, 0)
				f.write(time.Now().Add(-1500 * time.Millisecond)) // out of order by less than 5 s
				time.Sleep(time.Minute)
				f.nothingLate(t)
			})
		})
	}
}

// All clocks are ahead for some seconds, and are set right while pages of that time wait.
func TestNothingIsLateByClocksThatWereAheadWhilePagesWait(t *testing.T) {
	for name, before := range map[string]func(in rxcql.Stream[arrival]) rxcql.Stream[arrival]{
		"Buffer": func(in rxcql.Stream[arrival]) rxcql.Stream[arrival] {
			return operators.Buffer(in, 1000, rxcql.OverflowBlock)
		},
		"MapConcurrent": func(in rxcql.Stream[arrival]) rxcql.Stream[arrival] {
			return operators.MapConcurrent(in, 3, func(_ context.Context, row arrival) (arrival, error) { return row, nil })
		},
	} {
		for _, ahead := range []time.Duration{1500 * time.Millisecond, 4500 * time.Millisecond} /* within the overlap */ {
			for _, by := range []time.Duration{20 * time.Second, time.Minute, time.Hour} {
				t.Run(name+" "+ahead.String()+" "+by.String(), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						f := newTroubled(t)
						f.before = before
						defer f.start(t, 10*time.Second, nil)()
						time.Sleep(10 * time.Minute)
						f.stall.Store(int64(ahead + 20*time.Second))
						f.nextPage()
						f.stall.Store(0)
						f.jump(by, by)
						time.Sleep(ahead - 100*time.Millisecond)
						f.write(time.Now())
						time.Sleep(100 * time.Millisecond)
						f.jump(0, 0)
						time.Sleep(3 * time.Second)
						f.write(time.Now())
						time.Sleep(time.Minute)
						rows, late, mark := f.seen()
						assert.Equal(t, 2, rows)
						assert.Empty(t, late)
						assert.Less(t, time.Since(mark.Time()), 15*time.Second)
					})
				})
			}
		}
	}
}

// No step is longer than the overlap.
func TestNothingIsLateByClocksThatGoAheadByStepsAndAreSetRight(t *testing.T) {
	inTrouble(t, 10*time.Second, nil, func(t *testing.T, f *troubled) {
		time.Sleep(10 * time.Minute)
		for step := range 4 {
			ahead := time.Duration(step+1) * 4 * time.Second
			f.jump(ahead, ahead)
			f.nextPage()
		}
		f.jump(0, 0)
		time.Sleep(500 * time.Millisecond)
		f.write(time.Now())
		time.Sleep(time.Minute)
		f.nothingLate(t)
	})
}
