// Package overflow has the queue of rows between a source that goes on and a reader that is slow.
// It is bounded in rows and in bytes, and a policy says what gives way where there is no room.
package overflow

// Policy is what a Queue does with a row for which it has no room.
type Policy int

// The policies, as rxcql.Overflow has them.
const (
	Block      Policy = iota // does not take it
	DropOldest               // drops those that have waited longest
	DropNewest               // drops it, and those that come with it and behind it
	Latest                   // keeps only the newest
	Fail                     // does not take it
)

// Queue holds rows in the chunks in which they came. Of is what a chunk came with. The zero Queue
// is not usable. It is not safe for concurrent use.
type Queue[T, Of any] struct {
	policy Policy
	rows   int
	bytes  int64

	chunks []*Chunk[T, Of]
	n      int
	held   int64
}

// Chunk is some rows that wait.
type Chunk[T, Of any] struct {
	Of    Of
	Rows  []T   // that wait
	Bytes int64 // of these
	Gone  int   // rows before them that were dropped while they waited
	sizes []int
}

// New returns a queue of at most so many rows and bytes. One row may have more bytes if it waits
// alone. Latest holds one row, however many are allowed.
func New[T, Of any](policy Policy, rows int, bytes int64) *Queue[T, Of] {
	if policy == Latest {
		policy, rows = DropOldest, 1
	}
	return &Queue[T, Of]{policy: policy, rows: rows, bytes: bytes}
}

// Put appends rows, as one chunk that has the rows of these that wait; nil if none does. size and
// keep are called for rows that are let in. taken is how many rows were let in or dropped: all of
// them, except with Block and Fail. dropped is how many of these were dropped. gone is called for
// each chunk of earlier rows of which some were dropped.
func (q *Queue[T, Of]) Put(of Of, rows []T, size func(*T) int, keep func(T) T, gone func(c *Chunk[T, Of], rows int, bytes int64)) (c *Chunk[T, Of], taken, dropped int) {
	room := min(len(rows), q.rows)
	if q.policy != DropOldest {
		room = min(room, q.rows-q.n)
	}
	own := &Chunk[T, Of]{Of: of, Rows: make([]T, 0, room), sizes: make([]int, 0, room)}
	q.chunks = append(q.chunks, own)
	l := &loss[T, Of]{gone: gone}
	defer l.tell()
	for i := range rows {
		bytes := size(&rows[i])
		if !q.fits(bytes) {
			if q.policy == DropNewest {
				dropped = len(rows) - i
				break
			}
			if q.policy != DropOldest {
				rows = rows[:i]
				break
			}
			dropped += q.evict(own, bytes, l)
		}
		own.Rows, own.sizes = append(own.Rows, keep(rows[i])), append(own.sizes, bytes)
		own.Bytes += int64(bytes)
		q.n, q.held = q.n+1, q.held+int64(bytes)
	}
	if len(own.Rows) == 0 {
		q.chunks = q.chunks[:len(q.chunks)-1]
		return nil, len(rows), dropped
	}
	return own, len(rows), dropped
}

// fits reports whether there is room for a row.
func (q *Queue[T, Of]) fits(bytes int) bool {
	return q.n == 0 || q.n < q.rows && q.held+int64(bytes) <= q.bytes
}

// evict drops rows from the oldest on until one of so many bytes fits, and returns how many of them
// were of own, the chunk that is being put.
func (q *Queue[T, Of]) evict(own *Chunk[T, Of], bytes int, l *loss[T, Of]) (ofOwn int) {
	for !q.fits(bytes) {
		c := q.chunks[0]
		rows, freed := 0, int64(0)
		for rows < len(c.Rows) && !q.fits(bytes) {
			freed += int64(c.sizes[rows])
			q.n, q.held = q.n-1, q.held-int64(c.sizes[rows])
			rows++
		}
		clear(c.Rows[:rows])
		c.Rows, c.sizes = c.Rows[rows:], c.sizes[rows:]
		c.Bytes, c.Gone = c.Bytes-freed, c.Gone+rows
		if c == own {
			ofOwn += rows
			continue
		}
		if len(c.Rows) == 0 {
			q.pop()
		}
		l.add(c, rows, freed)
	}
	return ofOwn
}

// loss are the rows of one chunk that give way, so that gone is not called for each row.
type loss[T, Of any] struct {
	gone  func(c *Chunk[T, Of], rows int, bytes int64)
	of    *Chunk[T, Of]
	rows  int
	bytes int64
}

func (l *loss[T, Of]) add(c *Chunk[T, Of], rows int, bytes int64) {
	if c != l.of {
		l.tell()
		l.of, l.rows, l.bytes = c, 0, 0
	}
	l.rows, l.bytes = l.rows+rows, l.bytes+bytes
}

// tell calls gone for the chunk, if there is one.
func (l *loss[T, Of]) tell() {
	if l.of != nil {
		l.gone(l.of, l.rows, l.bytes)
	}
}

func (q *Queue[T, Of]) pop() {
	q.chunks[0] = nil
	q.chunks = q.chunks[1:]
}

// Take removes and returns the oldest chunk; nil if there is none.
func (q *Queue[T, Of]) Take() *Chunk[T, Of] {
	if len(q.chunks) == 0 {
		return nil
	}
	c := q.chunks[0]
	q.pop()
	q.n, q.held = q.n-len(c.Rows), q.held-c.Bytes
	return c
}

// TakeRows removes the oldest rows, whichever chunks they are of, and appends them to rows: until
// these are so many, or those that it has taken have so many bytes. It returns the bytes of what it
// has taken. One row at least is taken, if there is one.
func (q *Queue[T, Of]) TakeRows(rows []T, most int, mostBytes int64) (_ []T, bytes int64) {
	for len(rows) < most && bytes < mostBytes && len(q.chunks) > 0 {
		c := q.chunks[0]
		n, of := 0, int64(0)
		for ; n < len(c.Rows) && len(rows)+n < most && bytes+of < mostBytes; n++ {
			of += int64(c.sizes[n])
		}
		rows = append(rows, c.Rows[:n]...)
		clear(c.Rows[:n])
		c.Rows, c.sizes, c.Bytes = c.Rows[n:], c.sizes[n:], c.Bytes-of
		q.n, q.held = q.n-n, q.held-of
		bytes += of
		if len(c.Rows) == 0 {
			q.pop()
		}
	}
	return rows, bytes
}

// Newest returns the chunk that was put last; nil if there is none.
func (q *Queue[T, Of]) Newest() *Chunk[T, Of] {
	if len(q.chunks) == 0 {
		return nil
	}
	return q.chunks[len(q.chunks)-1]
}

// Len returns how many rows wait, and their bytes.
func (q *Queue[T, Of]) Len() (rows int, bytes int64) { return q.n, q.held }
