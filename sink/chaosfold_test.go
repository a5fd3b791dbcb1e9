package sink_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

type groupKey struct{ part, group int }

type groupOf = operators.Group[groupKey, int]

// folding is a branch of operators, by chance, that ends in a fold, and what came
// out of it.
type folding struct {
	c     *chaos
	kind  int
	width int // rows of a group
	mod   int // one row in so many fails
	times int // that each row is emitted
	want  map[groupKey]int

	mu    sync.Mutex
	got   map[groupKey]int
	wrong []string
}

func (c *chaos) folding(width int) *folding {
	f := &folding{c: c, kind: c.rand.IntN(6), width: width, mod: 2 + c.rand.IntN(9), times: 1}
	f.want, f.got = map[groupKey]int{}, map[groupKey]int{}
	if f.kind == 3 {
		f.times = 300 // many pages from one
	}
	for _, rows := range c.parts.Rows {
		for _, at := range rows {
			if !f.fails(at) {
				f.want[f.key(at)] += f.times * (at.Row + 1)
			}
		}
	}
	return f
}

func (f *folding) fails(at spot) bool {
	return f.kind != 0 && (at.Row*5+at.Part)%f.mod == 1
}

func (f *folding) key(at spot) groupKey { return groupKey{at.Part, at.Row / f.width} }

func (f *folding) sink() rxcql.Sink[spot] {
	opts := []sink.EachOption{sink.Idempotent()}
	if k := f.c.rand.IntN(4); k > 0 {
		opts = append(opts, sink.InFlight(k))
	}
	return sink.Through(func(s rxcql.Stream[spot]) rxcql.Stream[groupOf] {
		return operators.GroupAdjacent(f.before(s), f.key, func() int { return 0 }, func(sum int, at spot) (int, error) { return sum + at.Row + 1, nil })
	}, sink.Each(f.take, opts...))
}

// before puts operators before the fold.
func (f *folding) before(s rxcql.Stream[spot]) rxcql.Stream[spot] {
	row := func(at spot) (spot, error) {
		if f.fails(at) {
			return at, errSpot
		}
		return at, nil
	}
	slow := func(_ context.Context, at spot) (spot, error) {
		time.Sleep(time.Duration(at.Row%5) * 100 * time.Microsecond)
		f.c.call()
		return row(at)
	}
	good := func(at spot) bool { return !f.fails(at) }
	atOnce := 1 + f.c.rand.IntN(4)
	switch f.kind {
	case 1:
		return operators.Map(s, row)
	case 2:
		return operators.MapConcurrent(s, atOnce, slow)
	case 3:
		return operators.FlatMap(s, func(at spot, emit func(spot) bool) error {
			if f.fails(at) {
				return errSpot
			}
			for range f.times {
				if !emit(at) {
					break
				}
			}
			return nil
		})
	case 4:
		return operators.Filter(s, good)
	case 5:
		return operators.MapConcurrent(operators.Filter(s, good), atOnce, slow)
	}
	return s
}

// take takes a group, which must be whole.
func (f *folding) take(_ context.Context, g groupOf) error {
	time.Sleep(time.Duration((g.Key.group+g.Key.part)%5) * 100 * time.Microsecond)
	f.c.call()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.want[g.Key] != g.Value {
		f.wrong = append(f.wrong, fmt.Sprintf("kind %d: group %v is %d and not %d", f.kind, g.Key, g.Value, f.want[g.Key]))
	}
	f.got[g.Key] = g.Value
	return nil
}

// However often and wherever a job is interrupted, no group ever comes to a sink in
// part, and none is missing at the end.
func TestChaosOfFoldsInBranches(t *testing.T) {
	eachSeed(t, *seeds, foldsRound)
}

func foldsRound(t *testing.T, seed uint64) {
	c := newChaos(seed, 9)
	c.folds = true
	width := 1 + c.rand.IntN(25)
	one, two := c.folding(width), c.folding(width)
	in := operators.Tap(c.parts.Stream(), func(spot) error {
		time.Sleep(100 * time.Microsecond)
		c.call()
		return nil
	})
	c.run(t, in, sink.Tee(one.sink(), two.sink()))
	for _, f := range []*folding{one, two} {
		require.Empty(t, f.wrong)
		require.Equal(t, f.want, f.got)
	}
}
