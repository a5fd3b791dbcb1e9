package sink_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// Verbs that cannot be part of a job, each with what may come out of it.

// conflate folds rows by chance, and gives all of them again.
func (g *grove) conflate(s rxcql.Stream[spot]) rxcql.Stream[spot] {
	folded := operators.Conflate(s, func() []spot { return nil },
		func(rows []spot, at spot) ([]spot, error) { return append(rows, at), g.fail(at) })
	return operators.FlatMap(folded, apart)
}

// group folds rows by a key, and gives all of them again when the stream has ended.
func (g *grove) group(s rxcql.Stream[spot], keys int) rxcql.Stream[spot] {
	groups := operators.GroupBy(s, func(at spot) int { g.call(); return at.Row % keys }, func() []spot { return nil },
		func(rows []spot, at spot) ([]spot, error) { return append(rows, at), g.fail(at) }, operators.GroupByGroups(10))
	return operators.FlatMap(groups, func(one operators.Group[int, []spot], emit func(spot) bool) error { return apart(one.Value, emit) })
}

func apart(rows []spot, emit func(spot) bool) error {
	for _, at := range rows {
		if !emit(at) {
			break
		}
	}
	return nil
}

// newest drops the rows that a newer one follows soon. What comes out is in order, and has the last
// row if all has been read.
func (g *grove) newest(s rxcql.Stream[spot], d time.Duration) rxcql.Stream[spot] {
	g.drops = true
	in, s := g.noted(s)
	if g.rand.IntN(2) == 0 {
		s = operators.Sample(s, d)
	} else {
		s = operators.Debounce(s, d)
	}
	out, s := g.noted(s)
	g.checks = append(g.checks, func(t *testing.T, complete bool) {
		i := 0
		for _, at := range *out {
			for i < len(*in) && (*in)[i] != at {
				i++
			}
			require.Less(t, i, len(*in), "%v comes twice, or where it should not", at)
			i++
		}
		if n := len(*in); complete && n > 0 {
			require.NotEmpty(t, *out)
			require.Equal(t, (*in)[n-1], (*out)[len(*out)-1])
		}
	})
	return s
}

// noted notes the rows of a stream as they come.
func (g *grove) noted(s rxcql.Stream[spot]) (*[]spot, rxcql.Stream[spot]) {
	rows := &[]spot{}
	return rows, operators.Tap(s, func(at spot) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		*rows = append(*rows, at)
		return nil
	})
}

// zip pairs the rows of two streams, and takes the pairs apart again. Row n of the one is paired
// with row n of the other, and the rest of the longer one is dropped. Nothing that reads the
// streams again may come behind it.
func (g *grove) zip(a, b rxcql.Stream[spot]) rxcql.Stream[spot] {
	g.drops, g.short, g.once = true, true, true
	left, a := g.noted(a)
	right, b := g.noted(b)
	var pairs [][2]spot
	zipped := operators.Zip(a, b, func(l, r spot) ([]spot, error) {
		g.mu.Lock()
		pairs = append(pairs, [2]spot{l, r})
		g.mu.Unlock()
		return []spot{l, r}, g.fail(l, r)
	})
	g.checks = append(g.checks, func(t *testing.T, _ bool) {
		for n, p := range pairs {
			require.Equal(t, [2]spot{(*left)[n], (*right)[n]}, p, "pair %d", n)
		}
		if g.how == "" {
			require.Len(t, pairs, min(len(*left), len(*right)))
		}
	})
	return operators.FlatMap(zipped, apart)
}
