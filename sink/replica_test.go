package sink_test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
)

// replica is a server that keeps what it is sent as Cassandra does: by timestamps,
// in whatever order the writes come. Its table has the columns p, c and v; v is a
// list<text>, frozen or not.
type replica struct {
	frozen bool
	answer func(sink.Sent) (applied bool, err error) // nil for one that takes all

	mu       sync.Mutex
	rows     map[rowKey]*cell
	newest   int64         // of all timestamps
	requests [][]rowKey    // in the order in which they came
	lowest   map[int]int64 // by calls of mark
	marks    int
}

// rowKey is a primary key.
type rowKey struct {
	P int64 `cql:"p"`
	C int32 `cql:"c"`
}

// cell is a row, of one column.
type cell struct {
	deleted  int64 // the newest deletion
	inserted int64 // the newest row marker
	older    int64 // what is not above this is deleted from the list
	values   []stampedValue
}

type stampedValue struct {
	at int64
	v  string
}

func newReplica() *replica {
	return &replica{rows: map[rowKey]*cell{}, lowest: map[int]int64{}}
}

func (r *replica) send(_ context.Context, s sink.Sent) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	applied, err := true, error(nil)
	if r.answer != nil {
		applied, err = r.answer(s)
	}
	if !applied {
		return err
	}
	var keys []rowKey
	for _, row := range s.Rows {
		key := rowKey{number(row.Values[0].([]byte)), int32(number(row.Values[1].([]byte)))}
		keys = append(keys, key)
		r.apply(key, row)
	}
	r.requests = append(r.requests, keys)
	return err
}

func (r *replica) apply(key rowKey, row sink.SentRow) {
	at := row.Timestamp
	r.newest = max(r.newest, at)
	if low, seen := r.lowest[r.marks]; !seen || at < low {
		r.lowest[r.marks] = at
	}
	c := r.rows[key]
	if c == nil {
		c = &cell{}
		r.rows[key] = c
	}
	if strings.HasPrefix(row.CQL, "DELETE") {
		c.deleted = max(c.deleted, at)
		return
	}
	c.inserted = max(c.inserted, at)
	var elements []string
	for b := row.Values[2].([]byte)[4:]; len(b) > 0; {
		n := binary.BigEndian.Uint32(b)
		elements = append(elements, string(b[4:4+n]))
		b = b[4+n:]
	}
	if r.frozen {
		c.values = append(c.values, stampedValue{at, strings.Join(elements, ",")})
		return
	}
	c.older = max(c.older, at-1)
	for _, v := range elements {
		c.values = append(c.values, stampedValue{at, v})
	}
}

func (r *replica) table() *schema.Table {
	if r.frozen {
		return lists("frozen<list<text>>")
	}
	return lists("list<text>")
}

// read are the rows that a SELECT would give now, with their elements or value.
func (r *replica) read() map[rowKey]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	rows := map[rowKey]string{}
	for key, c := range r.rows {
		if c.inserted <= c.deleted {
			continue
		}
		var live []string
		best := stampedValue{at: c.deleted}
		for _, v := range c.values {
			switch {
			case v.at <= max(c.deleted, c.older):
			case !r.frozen:
				live = append(live, v.v)
			case v.at > best.at || v.at == best.at && v.v > best.v:
				best = v
			}
		}
		if r.frozen {
			live = []string{best.v}
		}
		rows[key] = strings.Join(live, ",")
	}
	return rows
}

// mark begins to count timestamps anew, and returns the newest so far.
func (r *replica) mark() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marks++
	return r.newest
}

// since is the lowest timestamp since the last mark, if there is one.
func (r *replica) since() (at int64, wrote bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, wrote = r.lowest[r.marks]
	return at, wrote
}

// unreliable is an answer that now and then is a failure which may pass, of a
// request that was or was not applied, by chance. Rows with the element "bad" are refused.
func unreliable(random *rand.Rand) func(sink.Sent) (bool, error) {
	return func(s sink.Sent) (bool, error) {
		for _, row := range s.Rows {
			if !strings.HasPrefix(row.CQL, "DELETE") && strings.Contains(string(row.Values[2].([]byte)), "bad") {
				return false, invalid{}
			}
		}
		switch random.IntN(8) {
		case 0:
			return true, writeTimeout // it was applied, and the client does not know
		case 1:
			return false, writeTimeout
		case 2:
			return false, unavailable
		}
		return true, nil
	}
}
