package sink_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// chain puts operators behind a stream, by chance, and tells which rows fail in
// one of them. Salt lets others fail in other chains.
func (c *chaos) chain(s rxcql.Stream[spot], salt int) (out rxcql.Stream[spot], fails func(spot) bool) {
	mod := 2 + c.rand.IntN(20)
	var all []func(spot) bool
	for i := range c.rand.IntN(4) {
		bad := func(at spot) bool { return (at.Row*7+at.Part*3+i+salt)%mod == 0 }
		row := func(at spot) (spot, error) {
			if err := c.fail(at); err != nil {
				return at, err
			}
			if bad(at) {
				return at, errSpot
			}
			return at, nil
		}
		slow := func(_ context.Context, at spot) (spot, error) {
			time.Sleep(time.Duration((at.Row*31+at.Part)%5) * 200 * time.Microsecond)
			return row(at)
		}
		kind := c.rand.IntN(8)
		switch kind {
		case 0:
			s = operators.Map(s, row)
		case 1:
			s = operators.MapConcurrent(s, 1+c.rand.IntN(5), slow)
		case 2:
			s = operators.MapConcurrent(s, 1+c.rand.IntN(5), slow, operators.Unordered())
		case 3:
			s = operators.FlatMap(s, func(at spot, emit func(spot) bool) error {
				emit(at)
				_, err := row(at)
				return err
			})
		case 4:
			s = operators.Tap(s, func(at spot) error {
				time.Sleep(200 * time.Microsecond)
				_, err := row(at)
				return err
			})
		case 5:
			s = operators.Merge(s)
		case 6:
			batches := operators.Batch(s, operators.BatchRows(1+c.rand.IntN(7)), operators.BatchLinger(3*time.Millisecond))
			s = operators.FlatMap(batches, func(rows []spot, emit func(spot) bool) error {
				for _, row := range rows {
					emit(row)
				}
				return nil
			})
		case 7:
			s = operators.Lanes(s, 1+c.rand.IntN(4), func(at spot) int { c.call(); return at.Row % 5 },
				func(in rxcql.Stream[spot]) rxcql.Stream[spot] { return operators.Map(in, row) })
		}
		if kind < 5 || kind == 7 {
			all = append(all, bad)
		}
	}
	return s, func(at spot) bool {
		for _, bad := range all {
			if bad(at) {
				return true
			}
		}
		return false
	}
}

// However often and wherever a job is interrupted: two files, one behind operators
// of its own, end with each row once, and each row that fails has a letter.
func TestChaosOfFilesLettersAndBranches(t *testing.T) {
	eachSeed(t, *seeds, filesRound)
}

func filesRound(t *testing.T, seed uint64) {
	c := newChaos(seed, 7)
	one, two := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")
	in, failsBefore := c.chain(c.parts.Stream(), 1)
	var failsInside func(spot) bool
	inside := sink.Through(func(s rxcql.Stream[spot]) rxcql.Stream[spot] {
		s, failsInside = c.chain(s, 2)
		return s
	}, sink.NDJSON[spot](two))
	failsLast := func(at spot) bool { return (at.Row+at.Part)%11 == 5 }
	var mu sync.Mutex
	last := map[spot]bool{}
	each := sink.Each(func(_ context.Context, at spot) error {
		if at.Row%3 == 0 {
			time.Sleep(200 * time.Microsecond)
		}
		c.call()
		if failsLast(at) {
			return errSpot
		}
		mu.Lock()
		defer mu.Unlock()
		last[at] = true
		return nil
	}, sink.Idempotent(), sink.InFlight(1+c.rand.IntN(3)))
	c.run(t, in, sink.Tee(sink.NDJSON[spot](one), inside, each))

	wantOne, wantTwo, wantLast, wantBad := map[spot]int{}, map[spot]int{}, map[spot]bool{}, map[spot]bool{}
	for _, rows := range c.parts.Rows {
		for _, at := range rows {
			if failsBefore(at) {
				wantBad[at] = true
				continue
			}
			wantOne[at] = 1
			if failsInside(at) {
				wantBad[at] = true
			} else {
				wantTwo[at] = 1
			}
			if failsLast(at) {
				wantBad[at] = true
			} else {
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

// spotsIn counts the rows in a file.
func spotsIn(t *testing.T, path string) map[spot]int {
	t.Helper()
	rows := map[spot]int{}
	for line := range strings.Lines(content(t, path)) {
		var at spot
		require.NoError(t, json.Unmarshal([]byte(line), &at))
		rows[at]++
	}
	return rows
}
