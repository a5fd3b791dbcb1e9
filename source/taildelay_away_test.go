package source_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxcql/rxcql/source"
)

// A tail that gives rows with a delay of its overlap looks for none that are younger, and is idle
// no further than it has looked.
func TestNothingIsLateByATailThatIsHeldUpAndHasADelay(t *testing.T) {
	for _, idle := range []time.Duration{3 * time.Second, 4 * time.Second, 10 * time.Second} {
		for name, holdUp := range map[string]func(f *troubled){
			"table": func(f *troubled) { f.match = ofTable; f.down.Store(true) },
			"clock": func(f *troubled) { f.match = ofClock; f.down.Store(true) },
			"sink":  func(f *troubled) { f.stall.Store(int64(time.Minute)); f.nextPage(); f.stall.Store(0) },
		} {
			t.Run(name+" "+idle.String(), func(t *testing.T) {
				inTrouble(t, idle, []source.TailOption{source.Delay(5 * time.Second)}, func(t *testing.T, f *troubled) {
					time.Sleep(time.Minute)
					holdUp(f)
					time.Sleep(30 * time.Second)
					f.write(time.Now()) // at once when it happens: writers are well
					time.Sleep(30 * time.Second)
					f.down.Store(false)
					time.Sleep(time.Minute)
					f.nothingLate(t)
				})
			})
		}
	}
}

func TestNothingIsLateByAJumpOfTheClocksAndADelay(t *testing.T) {
	inTrouble(t, 3*time.Second, []source.TailOption{source.Delay(5 * time.Second)}, func(t *testing.T, f *troubled) {
		time.Sleep(time.Minute)
		f.write(time.Now())
		f.jump(time.Hour, time.Hour)
		time.Sleep(time.Minute)
		f.nothingLate(t)
	})
}

// Nothing at all is wrong.
func TestNothingIsLateWhereATableIsSeldomAskedAndThereIsADelay(t *testing.T) {
	for _, every := range []time.Duration{6 * time.Second, 20 * time.Second, 2 * time.Minute} {
		for _, delay := range []time.Duration{0, 4 * time.Second, 5 * time.Second, 7 * time.Second} {
			t.Run(every.String()+" "+delay.String(), func(t *testing.T) {
				inTrouble(t, time.Minute, []source.TailOption{source.PollEvery(every), source.Delay(delay)}, func(t *testing.T, f *troubled) {
					time.Sleep(20*time.Minute + every/10)
					f.write(time.Now())
					time.Sleep(10 * time.Minute)
					f.nothingLate(t)
				})
			})
		}
	}
}

func TestNothingIsLateByAnOutageAndADelay(t *testing.T) {
	for _, delay := range []time.Duration{3 * time.Second, 5 * time.Second, time.Minute} {
		t.Run(delay.String(), func(t *testing.T) {
			inTrouble(t, 10*time.Second, []source.TailOption{source.Delay(delay)}, func(t *testing.T, f *troubled) {
				f.match = ofAny
				time.Sleep(10 * time.Minute)
				_, _, mark := f.seen()
				assert.Less(t, time.Since(mark.Time()), delay+15*time.Second, "it is idle")
				f.down.Store(true)
				happened := time.Now().Add(time.Second)
				time.Sleep(45 * time.Second)
				f.down.Store(false)
				f.nextPage()
				time.Sleep(2500 * time.Millisecond)
				f.write(happened)
				time.Sleep(3 * time.Minute)
				f.nothingLate(t)
			})
		})
	}
}
