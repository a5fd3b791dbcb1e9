package source_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rxcql/rxcql/source"
)

// With a Delay rows are looked for by the earlier of two clocks, of which one is behind.
func TestNothingIsLateByAnOutageWithADelayAndAClockThatIsBehind(t *testing.T) {
	for _, delay := range []time.Duration{0, 2 * time.Second, 5 * time.Second, 20 * time.Second} {
		for _, behind := range []time.Duration{0, 4 * time.Second, 20 * time.Second} {
			t.Run(delay.String()+" "+behind.String(), func(t *testing.T) {
				inTrouble(t, 30*time.Second, []source.TailOption{source.Delay(delay)}, func(t *testing.T, f *troubled) {
					f.jump(0, -behind)
					f.nothingLateIfWrittenAfterAnOutage(t, 45*time.Second, 28*time.Second)
				})
			})
		}
	}
}

// With a Delay of an overlap or more rows are looked for up to where all is complete, which may be
// a poll or two further back.
func TestNothingIsLateByAnOutageWithADelayAndPollsThatAreFarApart(t *testing.T) {
	for _, idle := range []time.Duration{10 * time.Second, 35 * time.Second, 59 * time.Second} {
		for _, delay := range []time.Duration{0, 5 * time.Second, 20 * time.Second} {
			for _, every := range []time.Duration{time.Second, 4 * time.Second, 20 * time.Second} {
				for _, left := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond} {
					t.Run(fmt.Sprint(idle, delay, every, left), func(t *testing.T) {
						inTrouble(t, idle, []source.TailOption{source.Delay(delay), source.PollEvery(every)}, func(t *testing.T, f *troubled) {
							f.nothingLateIfWrittenAfterAnOutage(t, 5*time.Minute, idle-left)
						})
					})
				}
			}
		}
	}
}

// nothingLateIfWrittenAfterAnOutage lets all requests fail for so long. What happened at its
// beginning is written so long after its end, which is less than IdleAfter.
func (f *troubled) nothingLateIfWrittenAfterAnOutage(t *testing.T, lasts, after time.Duration) {
	f.match = ofAny
	time.Sleep(10 * time.Minute)
	f.down.Store(true)
	happened := time.Now().Add(time.Second)
	time.Sleep(lasts)
	f.down.Store(false)
	time.Sleep(after)
	f.write(happened)
	time.Sleep(5 * time.Minute)
	f.nothingLate(t)
}
