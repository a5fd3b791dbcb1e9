package rxcql_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
)

// errKilled ends a run in a windowJob; nothing is saved after it.
var errKilled = errors.New("killed")

// upserts is a table of results: of a window it has the last that was written, whatever the order
// in which writes end.
type upserts struct {
	mu      sync.Mutex
	rows    map[window]result
	written map[window]int // when what is there was written
	now     int
	durable []result   // in the order in which they became durable
	lost    int        // written, and not durable when the writer was closed
	random  *rand.Rand // ends writes later, in any order; nil for at once
	event   func() error
	flush   func() error
}

func newUpserts() *upserts { return &upserts{rows: map[window]result{}, written: map[window]int{}} }

func (u *upserts) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Resumable: true, Stages: []string{"Upserts"}}
}

func (u *upserts) Check(context.Context) error { return nil }

func (u *upserts) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[result], error) {
	st := r.SinkStage("Upserts")
	return &upserting{upserts: u, st: st, account: st.Account(true)}, nil
}

type upserting struct {
	*upserts
	st      *rxcql.Stage
	account *flow.Account
	sent    []*sentResults
}

type sentResults struct {
	rows        []result
	written     int
	reservation *flow.Reservation
}

func (w *upserting) Write(_ context.Context, p *flow.Page[result]) error {
	w.st.CountIn(len(p.Rows))
	if w.event != nil {
		if err := w.event(); err != nil {
			return err
		}
	}
	w.now++
	s := &sentResults{rows: append([]result{}, p.Rows...), written: w.now, reservation: w.account.Reservation()}
	s.reservation.Take(p.Reservation, 0)
	w.sent = append(w.sent, s)
	for len(w.sent) > 0 && (w.random == nil || w.random.IntN(3) > 0) {
		w.end()
	}
	return nil
}

// end makes one of the writes durable.
func (w *upserting) end() {
	i := 0
	if w.random != nil {
		i = w.random.IntN(len(w.sent))
	}
	s := w.sent[i]
	w.sent = append(w.sent[:i], w.sent[i+1:]...)
	w.mu.Lock()
	for _, row := range s.rows {
		if w.written[row.window] < s.written {
			w.rows[row.window], w.written[row.window] = row, s.written
		}
		w.durable = append(w.durable, row)
	}
	w.mu.Unlock()
	w.st.CountWritten(len(s.rows))
	s.reservation.Settle()
}

func (w *upserting) Flush(context.Context) error {
	for len(w.sent) > 0 {
		w.end()
	}
	if w.flush != nil {
		return w.flush()
	}
	return nil
}

func (w *upserting) Close() error {
	for _, s := range w.sent {
		w.lost += len(s.rows)
		s.reservation.Release()
	}
	return nil
}

// windowJob is a job with windows over several parts, which can be killed.
type windowJob struct {
	windows
	parts   *jobtest.Parts[reading]
	slack   int
	pause   time.Duration                                     // between pages
	lags    bool                                              // an operator keeps rows before the windows
	between func(rxcql.Stream[reading]) rxcql.Stream[reading] // other operators before the windows; may be nil
	store   *jobtest.Store
	to      *upserts
	other   *windowJob // with windows and a table of its own, over the same rows; nil for none
	killAt  int        // the event that kills the next run; 0 for none
	events  int
	opts    []rxcql.CheckpointOption
	more    []rxcql.Option

	mu       sync.Mutex
	lateRows map[window][]int // by window: rows that were late
}

func newWindowJob(size, every int, rows ...[]reading) *windowJob {
	j := &windowJob{parts: &jobtest.Parts[reading]{Rows: rows, PageRows: 2}, store: &jobtest.Store{}, to: newUpserts(), lateRows: map[window][]int{}}
	j.size, j.every = size, every
	j.event, j.to.event = j.happens, j.happens
	j.late = func(row reading, start int) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.lateRows[window{row.Key, start}] = append(j.lateRows[window{row.Key, start}], row.ID)
	}
	j.store.FailSave = func(int) error { return j.happens() }
	return j
}

// happens notes that something has happened, and kills the run if it is time.
func (j *windowJob) happens() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.events++; j.killAt == 0 || j.events < j.killAt {
		return nil
	}
	j.store.Break(errKilled)
	return errKilled
}

// killBefore kills the next run when a row comes to the windows, after a save of all before.
func (j *windowJob) killBefore(id int) {
	j.before = func(rows []reading) error {
		if !slices.ContainsFunc(rows, func(row reading) bool { return row.ID == id }) {
			return nil
		}
		j.before = nil
		time.Sleep(time.Second)
		j.store.Break(errKilled)
		return errKilled
	}
}

// rows is the stream before the windows.
func (j *windowJob) rows() rxcql.Stream[reading] {
	rows := j.parts.Stream()
	if j.lags {
		rows = lagging(rows)
	}
	rows = timed(rows, j.slack, j.pause)
	if j.between != nil {
		rows = j.between(rows)
	}
	return rows
}

// stream is the stream of results.
func (j *windowJob) stream(rows rxcql.Stream[reading]) rxcql.Stream[result] {
	if j.gap > 0 {
		return sessions(rows, &j.windows)
	}
	return windowed(rows, &j.windows)
}

// pipeline is the job. With other windows, each are in a branch of a Tee.
func (j *windowJob) pipeline(opts ...rxcql.CheckpointOption) (*rxcql.Pipeline, error) {
	with := append(j.more, rxcql.WithCheckpoint(j.store, "job", append(opts, j.opts...)...))
	if j.other == nil {
		return rxcql.New(j.stream(j.rows()), rxcql.Sink[result](j.to), with...)
	}
	j.other.windows.parts = j.windows.parts
	return rxcql.New(j.rows(), sink.Tee(sink.Through(j.stream, rxcql.Sink[result](j.to)),
		sink.Through(j.other.stream, rxcql.Sink[result](j.other.to))), with...)
}

// alsoBy has the job fill another table, by other windows.
func (j *windowJob) alsoBy(size, every int) {
	j.other = newWindowJob(size, every)
	j.other.parts = j.parts
	j.other.event, j.other.to.event = j.happens, j.happens
}

// run runs the job once.
func (j *windowJob) run(ctx context.Context) (rxcql.Report, error) {
	j.mu.Lock()
	j.events = 0
	j.mu.Unlock()
	j.windows.parts = len(j.parts.Rows)
	if before, err := j.store.State("job"); err == nil && !before.Complete {
		for _, done := range before.Sources {
			for _, r := range done.Done {
				j.windows.parts -= int(r.End - r.Start)
			}
		}
	}
	p, err := j.pipeline(rxcql.CheckpointInterval(10 * time.Millisecond))
	if err != nil {
		return rxcql.Report{}, err
	}
	rep, err := p.Run(ctx)
	j.store.Break(nil)
	return rep, err
}

// whole is the table that has every row in each of its windows.
func (j *windowJob) whole() map[window][]int {
	all := map[window][]int{}
	for _, part := range j.parts.Rows {
		for _, row := range part {
			for _, start := range j.starts(row.At) {
				at := window{row.Key, start}
				all[at] = append(all[at], row.ID)
			}
		}
	}
	for _, ids := range all {
		slices.Sort(ids)
	}
	return all
}

// table is the table that was written.
func (j *windowJob) table() map[window][]int {
	j.to.mu.Lock()
	defer j.to.mu.Unlock()
	all := map[window][]int{}
	for at, row := range j.to.rows {
		all[at] = row.IDs
	}
	return all
}
