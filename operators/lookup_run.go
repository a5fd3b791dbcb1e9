package operators

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"unsafe"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
)

// lookups makes the look-ups of a run. Rows with equal keys share one: those that come while it is
// on its way are added to it, and have no goroutine that waits.
//
// Why not x/sync/singleflight? Each of its callers waits in a goroutine of its own: a key that
// comes often would take all that look-ups may have.
type lookups[T, V, U any] struct {
	rows  *concurrency[T, U]
	asker *asker[V]
	bind  func(T) ([]any, error)
	join  func(T, Found[V]) (U, error)
	crew  *crew[*lookup[T, U]]
	spent sync.Pool // of *lookup, to be used again

	key    []byte // of the last row; this and the next belong to the goroutine that takes rows
	values []driver.Value

	mu    sync.Mutex
	out   map[string]*lookup[T, U] // on their way, by key
	cache *foundCache[V]           // nil without LookupCache
}

// lookup is one look-up on its way, and the rows that wait for it.
type lookup[T, U any] struct {
	key    string
	values []driver.Value
	memory []byte // of the values
	first  job[T, U]
	others []job[T, U] // with equal keys
}

// mostSpent is how many bytes the values of a look-up may have had if it is to be used again.
const mostSpent = 1 << 10

// unused returns a look-up for the next row.
func (l *lookups[T, V, U]) unused() *lookup[T, U] {
	if at, is := l.spent.Get().(*lookup[T, U]); is {
		return at
	}
	return &lookup[T, U]{}
}

// spend lets go of all that a look-up has, except its memory, which the next one uses again.
func (l *lookups[T, V, U]) spend(at *lookup[T, U]) {
	if cap(at.memory) > mostSpent {
		return
	}
	*at = lookup[T, U]{values: at.values[:0], memory: at.memory[:0]}
	l.spent.Put(at)
}

// lookupSlot is about what a row costs while it is looked up, in addition to itself: its look-up,
// the key and the values.
const lookupSlot = int64(unsafe.Sizeof(lookup[[0]byte, [0]byte]{})) + 2*int64(unsafe.Sizeof(driver.Value{})) + 64

func newLookups[T, V, U any](ctx context.Context, group *rxcql.TaskGroup, f *concurrency[T, U], asker *asker[V],
	bind func(T) ([]any, error), join func(T, Found[V]) (U, error),
) *lookups[T, V, U] {
	l := &lookups[T, V, U]{
		rows: f, asker: asker, bind: bind, join: join,
		out: map[string]*lookup[T, U]{}, cache: newFoundCache[V](asker.cfg),
	}
	queue := min(f.calls, maxQueuedLookups)
	l.crew = newCrew(ctx, group, f.calls, queue, func() func(context.Context, *lookup[T, U]) error {
		r := &answering{}
		return func(ctx context.Context, at *lookup[T, U]) error {
			asker.begin(r, at.values)
			page, err := asker.attempt(ctx, r)
			return l.landed(ctx, at, r, page, err)
		}
	})
	return l
}

// maxQueuedLookups bounds how many look-ups wait for a goroutine. Answers come in bursts.
const maxQueuedLookups = 256

// take looks a row up, unless it is known already what there is for it.
func (l *lookups[T, V, U]) take(ctx context.Context, row T, of *inputPage[U], index int) error {
	j := job[T, U]{row: l.rows.keep(row), of: of, index: index}
	var none U
	args, err := l.bind(j.row)
	switch {
	case errors.Is(err, ErrNoKey):
		return l.joined(ctx, j, Found[V]{})
	case err != nil:
		return l.rows.conclude(ctx, j, none, err, true)
	}
	l.values, err = l.asker.aim.About.Encode(l.values, args)
	if err != nil {
		return l.rows.conclude(ctx, j, none, err, false)
	}
	l.key = appendKey(l.key[:0], l.values)
	l.mu.Lock()
	if found, known := l.cache.get(l.key); known {
		l.mu.Unlock()
		return l.joined(ctx, j, found)
	}
	if at := l.out[string(l.key)]; at != nil {
		at.others = append(at.others, j)
		l.mu.Unlock()
		return nil
	}
	at := l.unused()
	at.key, at.first = string(l.key), j
	at.own(l.values)
	l.out[at.key] = at
	l.mu.Unlock()
	return l.crew.hand(ctx, at)
}

func (l *lookups[T, V, U]) close() { l.crew.close() }

// joined ends a row with what was found for it.
func (l *lookups[T, V, U]) joined(ctx context.Context, j job[T, U], found Found[V]) error {
	result, err := l.join(j.row, found)
	return l.rows.conclude(ctx, j, result, err, true)
}

// landed ends the rows that waited for a look-up, whose first attempt has ended.
//
//go:noinline
func (l *lookups[T, V, U]) landed(ctx context.Context, at *lookup[T, U], r *answering, page *driver.Page, err error) error {
	found, err := l.asker.finish(ctx, r, page, err)
	l.mu.Lock()
	delete(l.out, at.key) // no row is added from here on
	if err == nil {
		l.cache.put(at.key, found)
	}
	l.mu.Unlock()
	end := func(j job[T, U]) error {
		if err != nil {
			var none U
			return l.rows.conclude(ctx, j, none, err, false)
		}
		return l.joined(ctx, j, found)
	}
	if err := end(at.first); err != nil {
		return err
	}
	for _, j := range at.others {
		if err := end(j); err != nil {
			return err
		}
	}
	l.spend(at)
	return nil
}

// own copies values with their bytes, which may be memory of the user's: bind may use it again for
// the next row, and this look-up would be made by that row's key.
func (at *lookup[T, U]) own(values []driver.Value) {
	size := 0
	for i := range values {
		size += len(values[i].Bytes)
	}
	at.values, at.memory = append(at.values[:0], values...), slices.Grow(at.memory[:0], size)
	for i := range values {
		start := len(at.memory)
		at.memory = append(at.memory, values[i].Bytes...)
		at.values[i].Bytes = at.memory[start:len(at.memory):len(at.memory)]
	}
}

// appendKey appends bound values so that two keys are equal if and only if the server gets the same
// bytes.
func appendKey(key []byte, values []driver.Value) []byte {
	for i := range values {
		v := &values[i]
		key = append(key, byte(v.State))
		if v.State == driver.Set {
			key = binary.BigEndian.AppendUint32(key, uint32(len(v.Bytes)))
			key = append(key, v.Bytes...)
		}
	}
	return key
}
