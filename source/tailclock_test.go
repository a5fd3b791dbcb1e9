package source_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// setBack has both clocks set back now and then, each by up to two hours, and set right again.
func (tr *tailTrial) setBack() {
	random := rand.New(rand.NewPCG(tr.random.Uint64(), 11))
	back := func() time.Duration { return -time.Duration(random.Int64N(int64(2 * time.Hour))) }
	tr.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Reads("iot.ticks") && random.IntN(40) == 0 {
			if random.IntN(2) == 0 {
				tr.jump(0, 0)
			} else {
				tr.jump(back(), back())
			}
		}
		return nil
	})
}

// Rows of the present lie in the future of clocks that were set back, in buckets that may not be
// reached, and so may rows that are to be read again. They come when their time has come, or the
// clocks are right: none is lost, counted twice, or late where no row can be late, and the stream
// comes to its end.
func TestNothingIsLostOrCountedTwiceThoughBothClocksAreSetBackWhileAJobIsBrokenOff(t *testing.T) {
	for seed := range (someSeeds() + 1) / 2 { // each takes as long as several of the others
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTailTrial(t, 5000+seed)
				tr.setBack()
				all := tr.happenings(true)
				job := newCounting([]time.Duration{time.Second, 10 * time.Second, time.Minute}[tr.random.IntN(3)], tr.overlap*3/2+time.Second)
				writing := tr.write(t)
				tr.countBrokenOff(t, job)
				<-writing
				require.Len(t, all, int(tr.rows))
				require.Empty(t, job.lateRows())
				for id, at := range all {
					require.Equal(t, 1, count(job.table[job.endOf(at)].ids, id), "row %d", id)
				}
			})
		})
	}
}
