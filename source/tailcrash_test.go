package source_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/source"
)

// happenings has rows happen about when they arrive. Unless calm, some happen long before or after
// that, so that windows are closed early and rows are late for them. It returns when each happened.
func (tr *tailTrial) happenings(calm bool) map[int64]time.Time {
	all := map[int64]time.Time{}
	tr.text = func(random *rand.Rand, id int64, arrived time.Time) string {
		at := arrived.Add(-time.Duration(random.Int64N(int64(tr.overlap) / 4)))
		switch {
		case calm:
		case random.IntN(10) == 0:
			at = at.Add(time.Duration(random.Int64N(int64(2 * time.Minute))))
		case random.IntN(10) == 0:
			at = at.Add(-time.Duration(random.Int64N(int64(5 * time.Minute))))
		}
		all[id] = at
		return textOf(at)
	}
	return all
}

// countBrokenOff has a job count the table's rows that is stopped, cancelled, broken and killed.
func (tr *tailTrial) countBrokenOff(t *testing.T, job *counting) {
	t.Helper()
	for run := 0; ; run++ {
		require.Less(t, run, 200)
		how, after := tr.random.IntN(4), time.Duration(tr.random.Int64N(int64(tr.span/4)))
		if run > 20 {
			after = time.Hour
		}
		results, fails := 0, tr.random.IntN(20)
		job.fails = func() error {
			if results++; how == 2 && results > fails && run <= 20 {
				return errTailBroken
			}
			return nil
		}
		tail := source.Tail[arrival](tr.session, "iot.ticks", tr.buckets, tr.opts...)
		if brokenOff(t, job.pipeline(t, tail), job.store, how, after).Complete {
			return
		}
		time.Sleep(time.Duration(tr.random.Int64N(int64(tr.span / 8)))) // it is down
	}
}

// Rows become visible late, between others that were read before, while a job that counts them in
// windows is stopped, cancelled, broken and killed anywhere. Each is counted once in its window, or
// is late for it. None is late that was counted in a window that is not given again, which counting
// looks at, and where no row can be late none is.
func TestEachRowIsCountedOnceOrIsLateWhereverAJobIsBrokenOff(t *testing.T) {
	late, counted := 0, 0
	for seed := range someSeeds() {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTailTrial(t, 1000+seed)
				calm := seed%3 == 0
				if !calm {
					tr.trouble()
				}
				all := tr.happenings(calm)
				slack := []time.Duration{0, tr.overlap / 4, tr.overlap}[tr.random.IntN(3)]
				if calm { // a row comes behind others by an overlap and a quarter, and happened a quarter before
					slack = tr.overlap*3/2 + time.Second
				}
				job := newCounting([]time.Duration{time.Second, 10 * time.Second, time.Minute}[tr.random.IntN(3)], slack)
				writing := tr.write(t)
				if tr.random.IntN(3) == 0 {
					<-writing // a backlog
				}
				tr.countBrokenOff(t, job)
				<-writing
				for id, at := range all {
					window := job.table[job.endOf(at)]
					switch n := count(window.ids, id); n {
					case 1:
						counted++
						require.Less(t, job.late[id], window.run, "row %d was counted and is late", id)
					case 0:
						late++
						require.NotZero(t, job.late[id], "row %d is in no window, and was not late", id)
					default:
						require.Fail(t, "a row was counted twice", "row %d: %d times", id, n)
					}
				}
				require.Len(t, all, int(tr.rows))
				if calm {
					require.Empty(t, job.lateRows())
				}
			})
		})
	}
	if !testing.Short() { // few seeds may have no late row
		require.NotZero(t, late)
		require.NotZero(t, counted)
	}
}

func count(ids []int64, id int64) (n int) {
	for range ids {
		if i := slices.Index(ids, id); i >= 0 {
			n, ids = n+1, ids[i+1:]
		}
	}
	return n
}
