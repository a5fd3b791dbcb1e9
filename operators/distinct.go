package operators

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

// ErrDistinctFull is the kind of error of a Distinct that has met more keys than it may keep.
var ErrDistinctFull = errors.New("rxcql: Distinct has no room for another key")

// DistinctOption bounds what Distinct keeps.
type DistinctOption interface{ applyDistinct(*distinctConfig) error }

type distinctConfig struct {
	keys   int64
	bytes  int64
	forget bool
	told   func(keys int)
}

type (
	distinctKeys  int64
	distinctBytes int64
	forgetOldest  struct{ told func(keys int) }
)

// DistinctKeys is how many keys Distinct keeps at most.
func DistinctKeys(n int64) DistinctOption { return distinctKeys(n) }

// DistinctBytes is how many bytes the keys that Distinct keeps take at most, with what it needs
// to find them.
func DistinctBytes(n int64) DistinctOption { return distinctBytes(n) }

// ForgetOldest makes Distinct forget, where it would keep too many keys, the key that it has
// first met longest ago: a row with that key goes on again when it comes. told, unless nil, is
// called after each page that made it forget has been looked at, and before its rows go on, with
// how many keys it forgot. A key that alone is larger than DistinctBytes is ErrDistinctFull all the
// same.
func ForgetOldest(told func(keys int)) DistinctOption { return forgetOldest{told} }

func (n distinctKeys) applyDistinct(c *distinctConfig) error {
	c.keys = int64(n)
	return atLeast("DistinctKeys", int64(n), 1)
}

func (n distinctBytes) applyDistinct(c *distinctConfig) error {
	c.bytes = int64(n)
	return atLeast("DistinctBytes", int64(n), 1)
}

func (f forgetOldest) applyDistinct(c *distinctConfig) error {
	c.forget, c.told = true, f.told
	return nil
}

// Distinct hands on the first row of each key, over the whole stream; the others are counted as
// filtered in the report. "First" is in order of arrival. At least one of DistinctKeys and
// DistinctBytes must be given. At the bound the stream ends with ErrDistinctFull, unless
// ForgetOldest is given: no row that came before goes on twice in silence. A key that does not
// equal itself (NaN) is never kept: all of its rows go on.
//
// Order is kept, and rows go on a page at a time, in the goroutine that brings them. It holds
// the keys, no rows; they are charged to the budget as they are met, and the run ends with
// flow.BudgetHeldError where that leaves no room for a page. Give WithBudget more than the
// bound. A key that is a string is copied; other keys are kept as they are, with the memory
// that text in them shares with rows around it (1 KiB at most for each).
//
// It is not resumable: no checkpoint has the keys. In a job write to a table with that key as
// its primary key, or use DistinctAdjacent where rows of one key come together.
func Distinct[T any, K comparable](in rxcql.Stream[T], key func(T) K, opts ...DistinctOption) rxcql.Stream[T] {
	var cfg distinctConfig
	errs := []error{required("the key function", key == nil), option.Apply(opts, &cfg, DistinctOption.applyDistinct)}
	if errs[1] == nil && cfg.keys == 0 && cfg.bytes == 0 {
		errs = append(errs, errors.New("no bound: give DistinctKeys or DistinctBytes"))
	}
	info := rxcql.StageInfo{
		Name: "Distinct", Synchronous: true, Drops: true, NotResumable: true, Err: errors.Join(errs...),
		NotResumableReason: "no checkpoint has the keys that it has met; write to a table with that key as its primary key, " +
			"or use DistinctAdjacent where rows of one key come together",
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		d := &distinct[T, K]{st: st, out: out, key: key, met: newMetKeys[K](cfg), charge: newCharging(st.Account(false))}
		return ending(func() error { return in.Subscribe(ctx, st, d) }, func(error) { d.charge.reservation.Release() })
	}, in)
}

type distinct[T any, K comparable] struct {
	st     *rxcql.Stage
	out    flow.Observer[T]
	key    func(T) K
	met    *metKeys[K]
	charge *charging // with the keys
	rows   []T       // reused from page to page
}

func (d *distinct[T, K]) Next(ctx context.Context, p *flow.Page[T]) error {
	if cap(d.rows) < len(p.Rows) {
		d.rows = make([]T, len(p.Rows))
	}
	rows, n := d.rows[:len(p.Rows)], 0
	for i := range p.Rows {
		isNew, room := d.met.add(d.key(p.Rows[i]))
		if !room {
			return d.st.Fail(fmt.Errorf("%w: it keeps %d keys in %d bytes; give DistinctKeys or DistinctBytes more, "+
				"or ForgetOldest, with which rows of keys long gone go on again", ErrDistinctFull, d.met.len(), d.met.bytes))
		}
		if isNew {
			rows[n] = p.Rows[i]
			n++
		}
	}
	d.charge.to(d.met.bytes, p.Reservation)
	if forgot := d.met.forgotten(); forgot > 0 && d.met.told != nil {
		d.met.told(forgot)
	}
	if n == len(rows) {
		clear(rows)
		return flow.HandOn(ctx, p, p.Rows, d.out)
	}
	return handOn(ctx, p, rows[:n], d.out)
}

func (d *distinct[T, K]) Done(ctx context.Context, stopped bool) error {
	return d.out.Done(ctx, stopped)
}
