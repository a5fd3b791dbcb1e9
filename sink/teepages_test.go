package sink_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
)

// sizes is a sink that notes how many rows come at once, and where they are from.
type sizes struct {
	rxcql.Sink[change] // that it hands them on to; may be nil
	pages              []int
	last               int
	at                 []int // the index of each row in its page
}

func (s *sizes) Info() (info rxcql.SinkInfo) {
	if s.Sink != nil {
		info = s.Sink.Info()
	}
	return info
}

func (s *sizes) Check(ctx context.Context) error {
	if s.Sink == nil {
		return nil
	}
	return s.Sink.Check(ctx)
}

func (s *sizes) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[change], error) {
	if s.Sink == nil {
		return sizing{s, nil}, nil
	}
	w, err := s.Sink.Open(ctx, r)
	return sizing{s, w}, err
}

type sizing struct {
	s *sizes
	w rxcql.Writer[change]
}

func (w sizing) Write(ctx context.Context, p *flow.Page[change]) error {
	w.s.pages = append(w.s.pages, len(p.Rows))
	for i := range p.Rows {
		w.s.at = append(w.s.at, p.RowIndex(i))
	}
	if p.Last {
		w.s.last++
	}
	if w.w == nil {
		return nil
	}
	return w.w.Write(ctx, p)
}

func (w sizing) Flush(ctx context.Context) error {
	if w.w == nil {
		return nil
	}
	return w.w.Flush(ctx)
}

func (w sizing) Close() error {
	if w.w == nil {
		return nil
	}
	return w.w.Close()
}

func TestOnlyBranchesThatWriteOneTableGetAPageRowByRow(t *testing.T) {
	server, other := newReplica(), newReplica()
	another := other.table()
	another.ID = "another"
	tables := func() (a, b, c *sizes) {
		return &sizes{Sink: upserts(server)}, &sizes{Sink: sink.TableOn[change](other.send, another)}, &sizes{Sink: deletes(server)}
	}
	stamped := &sizes{Sink: sink.TableOn[change](server.send, lists("frozen<list<text>>"), sink.TimestampOf(func(change) int64 { return 1 }))}
	feed := upsertsOf(7)
	whole, each := []int{3, 3, 1}, []int{1, 1, 1, 1, 1, 1, 1}
	index := []int{0, 1, 2, 0, 1, 2, 0}

	a, b, c := tables()
	file := &sizes{}
	_, err := run(t, split(feed, 3), sink.Tee[change](a, b, file, c, stamped))
	require.NoError(t, err)
	require.Equal(t, [][]int{each, whole, whole, each, whole}, [][]int{a.pages, b.pages, file.pages, c.pages, stamped.pages})
	for _, s := range []*sizes{a, b, c, file, stamped} {
		require.Equal(t, index, s.at, "each knows where in its page a row is")
		require.Equal(t, 1, s.last, "one page is the last")
	}

	a, b, _ = tables()
	stamped.pages = nil
	_, err = run(t, split(feed, 3), sink.Tee[change](a, b, stamped))
	require.NoError(t, err)
	require.Equal(t, [][]int{whole, whole, whole}, [][]int{a.pages, b.pages, stamped.pages}, "no table is written twice")

	a, b, c = tables()
	_, err = run(t, split(feed, 3), sink.Tee(sink.Tee[change](a, b), sink.Tee[change](c)))
	require.NoError(t, err)
	require.Equal(t, index, b.at, "also where it comes with them")
	require.Equal(t, 1, b.last)
}

func TestAnEmptyLastPageReachesBranchesThatWriteOneTable(t *testing.T) {
	server := newReplica()
	a, b := &sizes{Sink: upserts(server)}, &sizes{Sink: deletes(server)}
	_, err := run(t, split(nil, 3), sink.Tee[change](a, b))
	require.NoError(t, err)
	require.Equal(t, [][]int{{0}, {0}}, [][]int{a.pages, b.pages})
}

func TestARowThatFailsInABranchIsNamedByItsPlaceInThePage(t *testing.T) {
	feed := upsertsOf(9)
	feed[4].V = []string{"bad"} // row 1 of page 1
	refuses := func() *replica {
		server := newReplica()
		server.answer = func(s sink.Sent) (bool, error) {
			for _, row := range s.Rows {
				if len(row.Values) == 3 && string(row.Values[2].([]byte)[8:]) == "bad" {
					return false, invalid{}
				}
			}
			return true, nil
		}
		return server
	}
	for name, tee := range map[string]func(*replica) rxcql.Sink[change]{
		"behind Throughs": func(s *replica) rxcql.Sink[change] { return sink.Tee(deletes(s), upserts(s)) },
		"in a Tee":        func(s *replica) rxcql.Sink[change] { return sink.Tee(deletes(s), sink.Tee(upserts(s), deletes(s))) },
	} {
		synctest.Test(t, func(t *testing.T) {
			server := refuses()
			_, err := run(t, split(feed, 3), tee(server))
			var row *rxcql.RowError
			require.ErrorAs(t, err, &row, name)
			require.Equal(t, []int64{1, 1}, []int64{row.Page, int64(row.Row)}, name)

			letters := &jobtest.Letters{}
			server = refuses()
			rep, err := run(t, split(feed, 3), tee(server), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
			require.NoError(t, err, name)
			require.True(t, rep.Complete)
			require.Equal(t, rep.Pages, rep.PagesSettled)
			require.Len(t, letters.All, 1)
			require.Equal(t, []int64{1, 1}, []int64{letters.All[0].Page, int64(letters.All[0].Index)}, name)
			var kept change
			require.NoError(t, json.Unmarshal(letters.All[0].Row, &kept))
			require.Equal(t, feed[4], kept)
			require.Equal(t, applied(append(upsertsOf(4), upsertsOf(9)[5:]...)), server.read())
		})
	}
}

// stamps is a sink whose rows take blocks of timestamps in several goroutines at once.
type stamps struct {
	t       *testing.T
	covered func() int64
	mu      sync.Mutex
	blocks  [][2]int64 // from and to
	lead    time.Duration
}

func (s *stamps) Check(context.Context) error { return nil }

func (s *stamps) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Resumable: true, Stages: []string{"stamps"}}
}

func (s *stamps) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[change], error) {
	return &stamping{stamps: s, run: r}, nil
}

type stamping struct {
	*stamps
	run *rxcql.Execution
}

func (w *stamping) Write(ctx context.Context, _ *flow.Page[change]) error {
	var group sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		step := []int64{1, sink.AttemptsPerRow}[i%2]
		group.Go(func() {
			for n := range 100 {
				rows := 1 + (7*n*i)%1000
				first, err := sink.TakeTimestamps(ctx, w.run, "table", rows, step)
				if errs[i] = err; err != nil {
					return
				}
				after := first + int64(rows)*step
				w.mu.Lock()
				w.lead = max(w.lead, time.Until(time.UnixMicro(first)))
				if covered := w.covered(); after-1 > covered {
					errs[i] = errors.New("given before it was reserved")
				}
				w.blocks = append(w.blocks, [2]int64{first, after})
				w.mu.Unlock()
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func (w *stamping) Flush(context.Context) error { return nil }
func (w *stamping) Close() error                { return nil }

func TestTimestampsThatSeveralGoroutinesTakeNeverOverlapNorRunAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		s := &stamps{t: t, covered: l.covered}
		parts := &jobtest.Parts[change]{Rows: [][]change{{upsert(1, "v")}}, PageRows: 1}
		p, err := rxcql.New(parts.Stream(), s, rxcql.WithCheckpoint(l, "job", rxcql.CheckpointInterval(time.Minute)))
		require.NoError(t, err)
		start := time.Now()
		_, err = p.Run(context.Background())
		require.NoError(t, err)
		slices.SortFunc(s.blocks, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
		before := start.UnixMicro() + 1
		for _, block := range s.blocks {
			require.Equal(t, before, block[0], "one block follows the other")
			before = block[1]
		}
		require.Greater(t, before-start.UnixMicro(), 2500*time.Millisecond.Microseconds(), "more than one save reserves")
		require.LessOrEqual(t, s.lead, 250*time.Millisecond+1024*sink.AttemptsPerRow*time.Microsecond)
	})
}
