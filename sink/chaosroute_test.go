package sink_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
)

// However often and wherever a job with a Route is interrupted: its files, one behind operators of
// its own, end with each of their rows once, and no row is lost or goes to another sink.
func TestChaosOfRoutes(t *testing.T) {
	eachSeed(t, *seeds, routeRound)
}

func routeRound(t *testing.T, seed uint64) {
	c := newChaos(seed, 11)
	one, two := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")
	in, failsBefore := c.chain(c.parts.Stream(), 1)
	var failsInside func(spot) bool
	inside := sink.Through(func(s rxcql.Stream[spot]) rxcql.Stream[spot] {
		s, failsInside = c.chain(s, 2)
		return s
	}, sink.NDJSON[spot](two))
	var mu sync.Mutex
	last := map[spot]bool{}
	each := sink.Each(func(_ context.Context, at spot) error {
		c.call()
		mu.Lock()
		defer mu.Unlock()
		last[at] = true
		return nil
	}, sink.Idempotent(), sink.InFlight(1+c.rand.IntN(3)))
	pick := func(at spot) int { // 4 is no sink's
		if n := (at.Row*5 + at.Part) % 6; n < 5 {
			return n
		}
		return sink.Drop
	}
	c.run(t, in, sink.Route(func(at spot) int { c.call(); return pick(at) }, sink.NDJSON[spot](one), inside, sink.Tee(each), each))

	wantOne, wantTwo, wantLast, wantBad := map[spot]int{}, map[spot]int{}, map[spot]bool{}, map[spot]bool{}
	for _, rows := range c.parts.Rows {
		for _, at := range rows {
			switch to := pick(at); {
			case failsBefore(at), to == 4, to == 1 && failsInside(at):
				wantBad[at] = true
			case to == 0:
				wantOne[at] = 1
			case to == 1:
				wantTwo[at] = 1
			case to != sink.Drop:
				wantLast[at] = true
			}
		}
	}
	require.Equal(t, wantOne, spotsIn(t, one))
	require.Equal(t, wantTwo, spotsIn(t, two))
	require.Equal(t, wantLast, last)
	if !c.skips {
		bad := map[spot]bool{}
		for at := range c.letters.rows {
			bad[at] = true
		}
		require.Equal(t, wantBad, bad)
	}
}
