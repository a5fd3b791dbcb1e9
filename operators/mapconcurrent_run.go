package operators

import (
	"context"
	"sync"
	"unsafe"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rx"
)

// concurrency is one run of MapConcurrent or Lookup. Rows come in the goroutine of the stream
// before it and are handed to what works on them, which says what became of each (conclude).
// Results are delivered in the goroutine that reads the stream.
type concurrency[T, U any] struct {
	st        *rxcql.Stage
	account   *flow.Account
	keep      func(T) T
	sizeIn    func(*T) int
	sizeOut   func(*U) int
	calls     int64 // made at once, at most
	window    int64 // most rows held
	low       int64 // rows held at which the waiting upstream is woken
	unordered bool
	slot      int64 // bytes that a page keeps for each of its rows until the last is delivered

	room chan struct{} // tells the waiting upstream that it may go on
	tell func() error  // has the reader look for results

	mu         sync.Mutex
	limit      int64 // rows wanted in all, 0 for no limit
	arrived    int64 // rows of pages that have come
	admitted   int64 // of these, let in
	finished   int64 // of these, calls that have returned
	delivered  int64 // of these, on their way downstream
	leftOut    int64 // rows that failed, not counted above
	waiting    bool  // upstream waits for room
	delivering bool  // the reader has been told, and delivers until nothing is ready
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

// job is one row to work on.
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

// newConcurrency makes one that makes so many calls at once and holds up to window rows.
func newConcurrency[T, U any](st *rxcql.Stage, calls, window int64, unordered bool) *concurrency[T, U] {
	f := &concurrency[T, U]{
		st: st, account: st.Account(true), calls: calls, window: window, low: window - max(1, (window-calls)/2), unordered: unordered,
		keep: rxcql.CloneFunc[T](), sizeIn: rxcql.SizeFunc[T](), sizeOut: rxcql.SizeFunc[U](),
		room: make(chan struct{}, 1), pages: map[*inputPage[U]]struct{}{},
	}
	f.slot = int64(unsafe.Sizeof(0))
	if !unordered {
		var result U
		f.slot += int64(unsafe.Sizeof(result)) + 1
	}
	return f
}

// calls works on the rows of a concurrency, in the goroutines of a group. It says what became of
// each by conclude, in any goroutine and order.
type calls[T, U any] interface {
	// take works on a row or has it worked on. It is called by one goroutine, in the order of the
	// rows. The row must be kept (keep) if take leaves it to others.
	take(ctx context.Context, row T, of *inputPage[U], index int) error
	// close is called when no more rows come. The goroutines of the group end when all rows are
	// done.
	close()
}

// run reads in and delivers results to out until everything is done. begin makes the calls; their
// goroutines obey its ctx.
func (f *concurrency[T, U]) run(ctx context.Context, in rxcql.Stream[T], out flow.Observer[U],
	begin func(ctx context.Context, group *rxcql.TaskGroup) calls[T, U],
) error {
	f.limit = flow.DemandOf(out)
	return ending(func() error {
		var failed error
		err := rx.Transport(ctx, 1, func(ctx context.Context, send func(struct{}) error) error {
			f.tell = func() error { return send(struct{}{}) }
			failed = f.read(ctx, in, begin)
			return failed
		}, func(struct{}) error { return f.deliver(ctx, out) }, nil)
		return rxcql.FirstFailure(err, failed)
	}, f.end)
}

// read hands the rows of in to the calls, and returns when everything is done.
func (f *concurrency[T, U]) read(ctx context.Context, in rxcql.Stream[T],
	begin func(ctx context.Context, group *rxcql.TaskGroup) calls[T, U],
) (err error) {
	group, ctx := f.st.TaskGroup(ctx)
	calls := begin(ctx, group)
	err = rx.ErrExited // stays if a function of the user's ends this goroutine
	defer func() {
		calls.close()
		if err != nil {
			group.Cancel(err)
		}
		err = rxcql.FirstFailure(group.Wait(), err)
	}()
	return in.Subscribe(ctx, f.st, &submitter[T, U]{concurrency: f, take: calls.take})
}

// conclude ends a row with its result, or with the error that it met. users says that a function of
// the user's returned the error. If conclude returns an error, that ends the stream.
func (f *concurrency[T, U]) conclude(ctx context.Context, j job[T, U], result U, err error, users bool) error {
	var tell bool
	switch {
	case err == nil:
		tell = f.finish(j.of, j.index, result)
	case ctx.Err() != nil: // most likely the echo of the cancel
		return context.Cause(ctx)
	default:
		if err := f.failed(ctx, j, err, users); err != nil {
			return err
		}
		tell = f.leaveOut(j.of, j.index)
	}
	if tell {
		return f.tell()
	}
	return nil
}

// finish stores a result and reports whether the reader must be told.
func (f *concurrency[T, U]) finish(c *inputPage[U], index int, result U) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finished++
	defer f.makeRoom()
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
