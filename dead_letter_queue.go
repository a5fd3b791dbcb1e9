package rxcql

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jsonline"
	"github.com/rxcql/rxcql/internal/rx"
)

const (
	// waitingLetters is how many bytes of letters may wait to be written. A single letter that is
	// larger is taken when no other waits.
	waitingLetters = 1 << 20
	// letterCost is what a letter takes in addition to its row and error.
	letterCost = 512
)

// deadLetterQueue writes dead letters in batches: each batch is what came while the one before was
// written. So a store that syncs a file does it once for each batch.
type deadLetterQueue struct {
	run     *Execution
	name    string // of the run
	to      DeadLetterWriter
	ctx     context.Context // of the writes
	account *flow.Account
	room    *semaphore.Weighted
	n       atomic.Int64
	queue   chan *posted // holds as many as there is room for
	work    sync.WaitGroup

	mu     sync.Mutex
	failed error // the store's
}

// posted is a letter that waits to be written, and its hold on the receipts of its page.
type posted struct {
	Letter
	stage       *Stage
	reservation *flow.Reservation
	cost        int64
}

func openLetters(ctx context.Context, r *Execution, store DeadLetterStore) (*deadLetterQueue, error) {
	b := &deadLetterQueue{
		run: r, name: newRunName(r.start), ctx: ctx, account: r.budget.Account("dead letters", true),
		room: semaphore.NewWeighted(waitingLetters), queue: make(chan *posted, waitingLetters/letterCost),
	}
	err := protect(lettersName, func() (err error) {
		b.to, err = store.Open(ctx)
		return err
	})
	if err == nil && b.to == nil {
		err = errors.New("the store's Open returned no writer and no error")
	}
	if err != nil {
		return nil, lettersFailed(err)
	}
	b.work.Go(b.write)
	return b, nil
}

func lettersName() string { return "DeadLetter" }

func lettersFailed(err error) error {
	var own *StageError
	if errors.As(err, &own) {
		return err
	}
	return &StageError{Stage: lettersName(), Err: err}
}

// add takes a letter, and a hold on the receipts of its page. It waits for room.
func (b *deadLetterQueue) add(ctx context.Context, st *Stage, page *flow.Reservation, f *FailedRow) error {
	l, err := f.letter(b.name, st.name, b.n.Add(1))
	if err != nil {
		return lettersFailed(fmt.Errorf("%w; it failed with: %w", err, st.Fail(f.error())))
	}
	p := &posted{Letter: l, stage: st, reservation: b.account.Reservation()}
	p.cost = min(letterCost+int64(len(l.Row)+len(l.Error)), waitingLetters)
	err = b.room.Acquire(ctx, p.cost)
	if err != nil && st.endedBehind(ctx) { // the row has failed all the same
		err = b.room.Acquire(context.WithoutCancel(ctx), p.cost)
	}
	if err != nil {
		return context.Cause(ctx)
	}
	if err := b.err(); err != nil {
		b.room.Release(p.cost)
		return err
	}
	p.reservation.Take(page, letterCost+int64(len(l.Row)+len(l.Error)))
	b.queue <- p // there is room
	return nil
}

// idle waits until no letter waits to be written, or ctx ends; no more may come.
func (b *deadLetterQueue) idle(ctx context.Context) {
	if b != nil && b.room.Acquire(ctx, waitingLetters) == nil {
		b.room.Release(waitingLetters)
	}
}

func (b *deadLetterQueue) err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

// write writes the letters that wait, until the queue is closed. After a failure it gives the rest
// up: their receipts stay open.
func (b *deadLetterQueue) write() {
	var waiting []*posted
	var letters []Letter
	defer func() { // after runtime.Goexit in the store there is more; stages wait for its room
		b.finish(waiting, b.err())
		for p := range b.queue {
			b.finish([]*posted{p}, b.err())
		}
	}()
	for first := range b.queue {
		waiting = append(waiting, first)
		for more := len(b.queue); more > 0; more-- {
			waiting = append(waiting, <-b.queue)
		}
		letters = letters[:0]
		for _, p := range waiting {
			letters = append(letters, p.Letter)
		}
		err := b.err()
		if err == nil {
			if err = b.store(letters); err != nil {
				b.fail(err)
			}
		}
		b.finish(waiting, err)
		clear(letters)
		clear(waiting)
		waiting = waiting[:0]
	}
}

// finish removes letters that were written, or never will be.
func (b *deadLetterQueue) finish(letters []*posted, err error) {
	for _, p := range letters {
		if err == nil {
			p.stage.deadLettered.Add(1)
		}
		p.reservation.Finish(err)
		b.room.Release(p.cost)
	}
}

func (b *deadLetterQueue) store(letters []Letter) error {
	returned := false
	defer func() {
		if !returned { // runtime.Goexit in the store
			b.fail(lettersFailed(rx.ErrExited))
		}
	}()
	err := protect(lettersName, func() error { return b.to.Write(b.ctx, letters) })
	returned = true
	if err != nil {
		return lettersFailed(fmt.Errorf("the store could not write: %w", err))
	}
	return nil
}

func (b *deadLetterQueue) fail(err error) {
	err = b.run.ownError(err)
	b.mu.Lock()
	b.failed = err
	b.mu.Unlock()
	b.run.Fail(err)
}

// close writes what waits and closes the store. No stage is at work by then.
func (b *deadLetterQueue) close() error {
	close(b.queue)
	b.work.Wait()
	if err := protect(lettersName, b.to.Close); err != nil {
		return lettersFailed(fmt.Errorf("the store could not be closed: %w", err))
	}
	return b.err()
}

// newRunName names a run in its letters: its start time and random digits.
func newRunName(start time.Time) string {
	var unique [6]byte
	_, _ = rand.Read(unique[:]) // never fails
	return fmt.Sprintf("%s-%x", start.UTC().Format("20060102T150405Z"), unique)
}

// letter makes the letter of a row. It encodes the row at once, since the memory of its page will
// be used again.
func (f *FailedRow) letter(run, stage string, n int64) (Letter, error) {
	l := Letter{
		Run: run, N: n, Time: time.Now().UTC().Truncate(time.Millisecond), Stage: validText(stage), Error: validText(f.Err.Error()),
		Page: f.Page, Index: f.Index, Range: f.Part(),
	}
	var record interface{ RecordColumns() []string }
	if errors.As(f.Err, &record) {
		l.Columns = record.RecordColumns()
	}
	if f.Row != nil {
		l.Type = reflect.TypeOf(f.Row).String()
	}
	var err error
	if l.Row, err = encodeRow(f.Row); err != nil {
		return Letter{}, fmt.Errorf("a row (%s) cannot be kept as a dead letter: %w", l.Type, err)
	}
	return l, nil
}

// validText replaces what is not UTF-8 in a text: the error of a user's function and the name of a
// file may have any bytes, and a table of letters would refuse these.
func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// encodeRow writes a row as JSON. If something would be lost, the error says what, without values.
func encodeRow(row any) ([]byte, error) {
	data, err := jsonline.AppendExact(nil, row)
	if err != nil {
		return nil, fmt.Errorf("%w; or read the rows as rxcql.Row, which letters keep byte for byte", err)
	}
	return data, nil
}
