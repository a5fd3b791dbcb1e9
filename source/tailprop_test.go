package source_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// tailTrial is a table that random writers write to, and a job that tails it and is broken off.
type tailTrial struct {
	*tailed
	random  *rand.Rand
	buckets source.Buckets
	opts    []source.TailOption
	run     []rxcql.Option
	overlap time.Duration
	begin   time.Time
	span    time.Duration // of writing
	rows    int64
	text    func(random *rand.Rand, id int64, arrived time.Time) string // of a row
}

func newTailTrial(t *testing.T, seed uint64) *tailTrial {
	random := rand.New(rand.NewPCG(seed, 8))
	order := ""
	if random.IntN(3) == 0 {
		order = " WITH CLUSTERING ORDER BY (arrived DESC, id ASC)"
	}
	time.Sleep(time.Duration(random.IntN(7200)) * time.Second)
	tr := &tailTrial{random: random, text: func(*rand.Rand, int64, time.Time) string { return "" }, tailed: newTailed(t, "ticks (slot bigint, shard int, arrived timestamp, id bigint, v text, PRIMARY KEY ((slot, shard), arrived, id))"+order)}
	size := []time.Duration{time.Second, time.Minute, 7 * time.Minute, time.Hour}[random.IntN(4)]
	tr.overlap = []time.Duration{2 * time.Second, 20 * time.Second, 3 * time.Minute}[random.IntN(3)]
	if size == time.Second {
		tr.overlap = 2 * time.Second // or there are hundreds of buckets in each poll
	}
	tr.buckets = source.Buckets{
		Columns: []string{"slot"}, Size: size, Shard: "shard", Shards: 1 + random.IntN(3), Arrived: "arrived",
		Value: func(start time.Time) []any { return []any{start.Unix()} },
	}
	tr.begin = time.Now()
	tr.span = time.Duration(1+random.IntN(10)) * time.Minute
	if size == time.Second {
		tr.span = time.Minute
	}
	tr.opts = []source.TailOption{
		source.WallClock(tr.wall), source.Overlap(tr.overlap), source.TailFrom(tr.begin), source.TailUntil(tr.begin.Add(tr.span)),
		source.PollEvery(tr.span / time.Duration(20+random.IntN(150))),
		source.PageRows([]int{2, 7, 10_000}[random.IntN(3)]),
	}
	if random.IntN(4) == 0 {
		tr.opts = append(tr.opts, source.Delay(time.Duration(random.Int64N(2*int64(tr.overlap)))))
	}
	tr.run = []rxcql.Option{rxcql.WithBudget(rxcql.MinBudgetPerInput << random.IntN(4))}
	tr.opts = append(tr.opts, source.SeenBytes(1<<30))
	return tr
}

// write writes rows, which become visible up to an overlap after they say that they arrived: what
// is taken by a skew of clocks is not left for the write.
func (tr *tailTrial) write(t *testing.T) (done chan struct{}) {
	done = make(chan struct{})
	random := rand.New(rand.NewPCG(tr.random.Uint64(), 9))
	rate := []time.Duration{10 * time.Millisecond, 300 * time.Millisecond, 3 * time.Second}[random.IntN(3)]
	rate = max(rate, tr.span/600)
	pending := make(chan struct{}, 1<<14)
	go func() {
		defer close(done)
		started := 0
		for {
			arrived := time.Now().Add(time.Duration(random.Int64N(int64(tr.overlap)/2)) - tr.overlap/4) // the writer's clock
			slow := tr.overlap*98/100 + time.Until(arrived)                                             // what is left of the overlap
			arrived = arrived.Truncate(time.Millisecond)
			if !arrived.Before(tr.begin.Add(tr.span)) {
				break
			}
			if !arrived.Before(tr.begin) {
				id := tr.rows
				tr.rows++
				size := int64(tr.buckets.Size / time.Second)
				slot := arrived.Unix() / size * size
				insert := fmt.Sprintf("INSERT INTO iot.ticks (slot, shard, arrived, id, v) VALUES (%d, %d, '%s', %d, '%s')",
					slot, random.IntN(tr.buckets.Shards), arrived.UTC().Format("2006-01-02T15:04:05.000Z"), id, tr.text(random, id, arrived))
				started++
				time.AfterFunc(time.Duration(random.Int64N(int64(max(1, slow)))), func() {
					tr.Exec(insert)
					pending <- struct{}{}
				})
			}
			time.Sleep(time.Duration(random.Int64N(2 * int64(rate))))
		}
		for range started {
			<-pending
		}
	}()
	t.Cleanup(func() { <-done })
	return done
}

// trouble has requests fail, take long, or answered by pages without rows, and clocks jump.
func (tr *tailTrial) trouble() {
	random := rand.New(rand.NewPCG(tr.random.Uint64(), 10))
	jumps := tr.random.IntN(2) == 0 && tr.buckets.Size > time.Second // or there are hundreds of buckets ahead
	tr.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if !r.Reads("iot.ticks") {
			return nil
		}
		if jumps && random.IntN(50) == 0 { // one of them is right
			jump := time.Duration(random.Int64N(int64(10*time.Minute))) - 5*time.Minute
			if random.IntN(2) == 0 {
				tr.jump(jump, 0)
			} else {
				tr.jump(0, jump)
			}
		}
		reply := cqlfake.Tables()
		switch random.IntN(20) {
		case 0:
			reply = cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
		case 1:
			reply = cqlfake.Fail(&message.ReadTimeout{ErrorMessage: "late", Consistency: primitive.ConsistencyLevelQuorum})
		case 2, 3:
			reply = cqlfake.EmptyPage()
		}
		return reply.After(time.Duration(random.IntN(5)) * time.Millisecond)
	})
}

// cutOff tails the table in a job that is stopped, cancelled, broken and killed. It returns the
// rows that were settled, in their order.
func (tr *tailTrial) cutOff(t *testing.T) (got []int64) {
	store := &jobtest.Store{}
	for run := 0; ; run++ {
		require.Less(t, run, 200)
		how, after := tr.random.IntN(4), time.Duration(tr.random.Int64N(int64(tr.span/4)))
		if run > 20 {
			after = time.Hour
		}
		var p *rxcql.Pipeline
		var rows []int64
		given := map[int64]bool{}
		fails := tr.random.IntN(200)
		tail := source.Tail[arrival](tr.session, "iot.ticks", tr.buckets, tr.opts...)
		p, err := rxcql.New(tail, sink.Each(func(_ context.Context, row arrival) error {
			require.False(t, given[row.ID], "row %d has come twice in run %d", row.ID, run)
			given[row.ID] = true
			rows = append(rows, row.ID)
			if how == 2 && len(rows) > fails && run <= 20 {
				return errTailBroken
			}
			return nil
		}, sink.Idempotent(), sink.InFlight(1)), append(tr.run, rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(50*time.Millisecond)))...)
		require.NoError(t, err)
		report := brokenOff(t, p, store, how, after)
		require.LessOrEqual(t, report.ResumedRows, int64(len(got)))
		got = append(got[:report.ResumedRows], rows...) // what was not settled comes again
		if report.Complete {
			return got
		}
		time.Sleep(time.Duration(tr.random.Int64N(int64(tr.span / 8)))) // it is down
	}
}

// brokenOff runs a job, and after a while stops it (0), cancels it (1) or kills it (3). Else its
// sink may break it.
func brokenOff(t *testing.T, p *rxcql.Pipeline, store *jobtest.Store, how int, after time.Duration) rxcql.Report {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	var killed []byte
	timer := time.AfterFunc(after, func() {
		switch how {
		case 0:
			p.Stop()
		case 1:
			cancel(errTailBroken)
		case 3: // what is saved from here on never was
			killed = store.Get("job")
			cancel(errTailBroken)
		}
	})
	report, err := p.Run(ctx)
	timer.Stop()
	cancel(nil)
	if err != nil {
		require.ErrorIs(t, err, errTailBroken)
	}
	if killed != nil && !report.Complete {
		store.Put("job", killed)
	}
	require.Zero(t, report.BytesInFlight)
	return report
}

// Rows that are written in any order within the overlap, with clocks that differ, to buckets of any
// size, in pages of any size, with failures, pages without rows and clocks that jump, in a job that
// is stopped, cancelled, broken and killed anywhere: each is settled once.
func TestEachRowThatIsWrittenWithinTheOverlapIsSettledOnceWhateverHappens(t *testing.T) {
	for seed := range someSeeds() {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTailTrial(t, seed)
				if seed%3 > 0 {
					tr.trouble()
				}
				writing := tr.write(t)
				if tr.random.IntN(3) == 0 {
					<-writing // a backlog
				}
				got := tr.cutOff(t)
				<-writing
				slices.Sort(got)
				require.Equal(t, upTo(tr.rows), got)
			})
		})
	}
}
