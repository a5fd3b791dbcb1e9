package sink_test

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

var mergeSeeds = flag.Int("sink.sorted", 40, "seeds of TestTablesThatSortBehindMergeGoOnFromAnyPoint")

// mergedJob is a job made at random: inputs that are merged, some of which fail or take long, and
// tables that sort. Something ends it at some request, or at some row.
type mergedJob struct {
	r       *rand.Rand
	inputs  []mergedInput
	tables  int
	opts    [][]sink.TableOption
	budget  int64
	mu      sync.Mutex
	calls   int // until it is ended; 0 for never
	how     string
	p       *rxcql.Pipeline
	cancel  context.CancelCauseFunc
	written map[int64]int
}

type mergedInput struct {
	rows, pageRows int
	pause, last    time.Duration // now and then, and before its end
	large          int           // bytes of some rows
	failsAt        int           // this row, in this run; -1 for none
}

func newMergedJob(seed uint64) *mergedJob {
	r := rand.New(rand.NewPCG(seed, 77))
	j := &mergedJob{r: r, tables: 1 + r.IntN(5), written: map[int64]int{}}
	for range 2 + r.IntN(3) {
		j.inputs = append(j.inputs, mergedInput{
			rows: r.IntN(1500), pageRows: 1 + r.IntN(60), pause: []time.Duration{0, 10 * time.Millisecond, 400 * time.Millisecond}[r.IntN(3)],
			last: []time.Duration{0, 0, 3 * time.Second, 30 * time.Second}[r.IntN(4)], large: []int{0, 2 << 10, 30 << 10, 300 << 10}[r.IntN(4)],
		})
	}
	for range j.tables {
		j.opts = append(j.opts, []sink.TableOption{
			sink.BatchByReplicaSet(2+r.IntN(20), 1<<10+r.IntN(8<<10)), sink.SortByToken(), sink.InFlight(1 + r.IntN(4)),
			sink.BatchLinger([]time.Duration{time.Millisecond, 5 * time.Millisecond, time.Second}[r.IntN(3)]),
		})
	}
	j.budget = int64(len(j.inputs)) * rxcql.MinBudgetPerInput << r.IntN(5)
	return j
}

// disturb chooses how the next run ends.
func (j *mergedJob) disturb() {
	j.how = []string{"cancel", "error", "stop", "panic", "exit", "input"}[j.r.IntN(6)]
	j.calls = 1 + j.r.IntN(80)
	for i := range j.inputs {
		j.inputs[i].failsAt = -1
	}
	if j.how == "input" {
		in := &j.inputs[j.r.IntN(len(j.inputs))]
		j.calls, in.failsAt = 0, j.r.IntN(in.rows+1)
	}
}

func (j *mergedJob) send(ctx context.Context, s sink.Sent) error {
	j.mu.Lock()
	j.calls--
	now, takes := j.calls == 0, time.Duration(1+j.r.IntN(12))*time.Millisecond
	if j.r.IntN(50) == 0 {
		takes = 2 * time.Second
	}
	j.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	if now {
		switch j.how {
		case "cancel":
			j.cancel(errors.New("cancelled"))
		case "error":
			return errors.New("the server broke")
		case "stop":
			j.p.Stop()
		case "panic":
			panic("of a hook")
		case "exit":
			runtime.Goexit()
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, row := range s.Rows {
		j.written[int64(binary.BigEndian.Uint64(row.Values[0].([]byte)))]++
	}
	return nil
}

const perInput = 1 << 20

func (j *mergedJob) input(i int) rxcql.Stream[event] {
	in := j.inputs[i]
	return source.SeqFrom(fmt.Sprint("input ", i), func(from int64) iter.Seq2[event, error] {
		return func(yield func(event, error) bool) {
			for n := int(from); n < in.rows; n++ {
				if n == in.failsAt {
					yield(event{}, errors.New("the input failed"))
					return
				}
				if n%97 == 96 {
					time.Sleep(in.pause)
				}
				row := event{P: int64(i*perInput + n)}
				if n%61 == 60 {
					row.V = strings.Repeat("x", in.large)
				}
				if !yield(row, nil) {
					return
				}
			}
			if time.Sleep(in.last); in.failsAt == in.rows {
				yield(event{}, errors.New("the input failed"))
			}
		}
	}, source.PageRows(in.pageRows))
}

// run runs the job once, which ends in some way.
func (j *mergedJob) run(t *testing.T, store rxcql.CheckpointStore) (rep rxcql.Report, err error) {
	t.Helper()
	nodes, replication := keyspaceOf(12)
	var streams []rxcql.Stream[event]
	for i := range j.inputs {
		streams = append(streams, j.input(i))
	}
	var sinks []rxcql.Sink[event]
	for i := range j.tables {
		about := events()
		about.ID += strings.Repeat("a", i)
		sinks = append(sinks, sink.TableOnNodes[event](sink.Server(j.send), about, nodes, replication, j.opts[i]...))
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	p, err := rxcql.New(operators.Merge(streams...), sink.Route(func(e event) int { return int(e.P) % j.tables }, sinks...),
		rxcql.WithCheckpoint(store, "job"), rxcql.WithBudget(j.budget))
	require.NoError(t, err)
	j.p, j.cancel = p, cancel
	return runOrExit(ctx, p)
}

// A job ends by a cancel, an error, Stop, a panic, runtime.Goexit or an input that fails, and goes
// on, again and again. No row is lost. A run that nothing disturbs writes each row once.
func TestTablesThatSortBehindMergeGoOnFromAnyPoint(t *testing.T) {
	for seed := range uint64(*mergeSeeds) {
		for _, disturbed := range []int{0, 6} {
			j, store := newMergedJob(seed), &jobtest.Store{}
			for try, whole := 0, false; !whole; try++ {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Duration(try) * 10 * time.Minute) // each bubble begins at the same time
					if j.disturb(); try >= disturbed {
						j.how, j.calls = "", 0
						for i := range j.inputs {
							j.inputs[i].failsAt = -1
						}
					}
					rep, err := j.run(t, store)
					require.Zero(t, rep.BytesInFlight, "seed %d, %s: %v", seed, j.how, err)
					if whole = rep.Complete; whole {
						require.Equal(t, rep.Pages, rep.PagesSettled)
					}
					require.True(t, whole || try < disturbed, "seed %d: %v", seed, err)
				})
			}
			for i, in := range j.inputs {
				for n := range in.rows {
					times := j.written[int64(i*perInput+n)]
					require.NotZero(t, times, "seed %d, row %d of input %d is lost", seed, n, i)
					require.True(t, times == 1 || disturbed > 0, "seed %d, row %d of input %d is written %d times", seed, n, i, times)
				}
			}
		}
	}
}
