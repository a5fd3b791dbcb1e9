package operators

import (
	"context"
	"sync"
	"unsafe"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// concurrency is one run of MapConcurrent. Rows are submitted in the goroutine of the stream before
// it, worked on by the workers, and delivered in the goroutine that reads the stream.
type concurrency[T, U any] struct {
	st        *rxcql.Stage
	account   *flow.Account
	fn        func(context.Context, T) (U, error)
	keep      func(T) T
	sizeIn    func(*T) int
	sizeOut   func(*U) int
	calls     int64 // n
	window    int64 // most rows held
	unordered bool
	slot      int64 // bytes that a page keeps for each of its rows until the last is delivered

	work chan job[T, U]
	room chan struct{} // tells the waiting upstream that it may go on

	mu         sync.Mutex
	limit      int64 // rows wanted in all, 0 for no limit
	arrived    int64 // rows of pages that have come
	admitted   int64 // of these, let in
	finished   int64 // of these, calls that have returned
	delivered  int64 // of these, on their way downstream
	leftOut    int64 // rows that failed, not counted above
	workers    int64
	waiting    bool // upstream waits for room
	delivering bool // the reader has been told, and delivers until nothing is ready
	stopped    bool

	pages   map[*inputPage[U]]struct{} // pages with rows that have not been delivered
	queue   []*inputPage[U]            // the same in order; ordered only
	ready   resultsOf[U]               // unordered: results, and the pages they belong to
	spare   resultsOf[U]
	newest  *inputPage[U]     // of those in pages
	told    flow.Advances     // what nothing holds back any more
	tells   []flow.Advance    // the same, on their way downstream
	telling *flow.Reservation // moves while there are any of these; nil while there are none
}

// job is one call to make.
type job[T, U any] struct {
	row   T
	of    *inputPage[U]
	index int
}

// inputPage is a page that has come: its reservation and, if the order is kept, the results of its
// rows.
type inputPage[U any] struct {
	reservation *flow.Reservation
	at          flow.Position
	left        int // rows that have not been delivered

	older, newer *inputPage[U] // in the order in which they came
	behind       flow.Advances // how far parts have come when this page and all before it have been delivered

	bytes []int // of each row; of its result once there is one
	grown int64 // bytes by which results exceed their rows and that are not charged yet; may be negative

	results    []U
	done       []bool
	failed     []bool // rows that have no result; nil if none has failed
	next       int    // the first that has not been delivered
	ready      int    // unordered: results that wait
	readyBytes int64  // and their bytes
}

// resultsOf holds results that wait, if the order is not kept.
type resultsOf[U any] struct {
	results []U
	of      []*inputPage[U] // each once
}

func newConcurrency[T, U any](st *rxcql.Stage, n int, fn func(context.Context, T) (U, error), unordered bool) *concurrency[T, U] {
	f := &concurrency[T, U]{
		st: st, account: st.Account(true), fn: fn, calls: int64(n), window: int64(n), unordered: unordered,
		keep: rxcql.CloneFunc[T](), sizeIn: rxcql.SizeFunc[T](), sizeOut: rxcql.SizeFunc[U](),
		room: make(chan struct{}, 1), pages: map[*inputPage[U]]struct{}{},
	}
	f.slot = int64(unsafe.Sizeof(0))
	if !unordered {
		f.window *= aheadOfOldest
		var result U
		f.slot += int64(unsafe.Sizeof(result)) + 1
	}
	f.work = make(chan job[T, U], min(f.window, 2*flow.DefaultPageRows))
	return f
}

// run runs the stream before into the workers, and returns when everything is done. tell has the
// reader look for results.
func (f *concurrency[T, U]) run(ctx context.Context, in rxcql.Stream[T], tell func() error) error {
	group, ctx := f.st.TaskGroup(ctx)
	start := func() { group.Go(func() error { return f.worker(ctx, tell) }) }
	err := in.Subscribe(ctx, f.st, &submitter[T, U]{concurrency: f, start: start, tell: tell})
	close(f.work)
	if err != nil {
		group.Cancel(err)
	}
	return failure(group.Wait(), err)
}

// worker makes calls until there are no more.
func (f *concurrency[T, U]) worker(ctx context.Context, tell func() error) error {
	for j := range f.work {
		if err := f.perform(ctx, j, tell); err != nil {
			return err
		}
	}
	return nil
}

// perform makes one call.
func (f *concurrency[T, U]) perform(ctx context.Context, j job[T, U], tell func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	result, err := f.fn(ctx, j.row)
	if err != nil {
		if ctx.Err() != nil { // most likely the echo of the cancel
			return context.Cause(ctx)
		}
		if err := f.failed(ctx, j, err); err != nil {
			return err
		}
		if f.leaveOut(j.of, j.index) {
			return tell()
		}
		return nil
	}
	if f.finish(j.of, j.index, result) {
		return tell()
	}
	return nil
}

// finish stores a result and reports whether the reader must be told.
func (f *concurrency[T, U]) finish(c *inputPage[U], index int, result U) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finished++
	if f.unordered {
		if c.ready == 0 {
			f.ready.of = append(f.ready.of, c)
		}
		c.ready++
		f.ready.results = append(f.ready.results, result)
		f.replace(c, index, f.sizeOut(&f.ready.results[len(f.ready.results)-1]))
		c.readyBytes += int64(c.bytes[index])
		return f.announce()
	}
	c.results[index], c.done[index] = result, true
	f.replace(c, index, f.sizeOut(&c.results[index]))
	return f.queue[0] == c && c.next == index && f.announce()
}

// replace notes that a result has taken the place of its row. The difference in bytes is charged,
// or given back, a few KiB at a time.
func (f *concurrency[T, U]) replace(c *inputPage[U], index, bytes int) {
	c.grown += int64(bytes - c.bytes[index])
	c.bytes[index] = bytes
	switch {
	case c.grown >= 4<<10:
		c.reservation.Take(&flow.Reservation{}, c.grown)
		c.grown = 0
	case c.grown <= -4<<10:
		gone := f.account.Reservation()
		gone.Take(c.reservation, -c.grown)
		gone.Settle()
		c.grown = 0
	}
}

// announce notes that something is ready, and reports whether the reader must be told. The caller
// holds mu.
func (f *concurrency[T, U]) announce() bool {
	if f.delivering {
		return false
	}
	f.delivering = true
	return true
}
