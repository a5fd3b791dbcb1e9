package operators_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// clocked is a stream with the clock of a stage behind it, as it was behind each page.
type clocked struct {
	clock flow.EventClock
	times []flow.Watermark // each once
	said  []flow.Advance
}

func (c *clocked) stream(in rxcql.Stream[timed]) rxcql.Stream[timed] {
	return spying(in, func(p *flow.Page[timed]) {
		c.clock.Add(p.Advance())
		c.said = append(c.said, p.Advance())
		if now := c.clock.Now(); len(c.times) == 0 || c.times[len(c.times)-1] != now {
			c.times = append(c.times, now)
		}
	})
}

// around calls functions before a stream is read, and when it has ended; each may be nil.
func around(in rxcql.Stream[timed], before func(ctx context.Context) error, after func()) rxcql.Stream[timed] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "around", Synchronous: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[timed]) error {
		if before != nil {
			if err := before(ctx); err != nil {
				return err
			}
		}
		err := in.Subscribe(ctx, st, out)
		if after != nil {
			after()
		}
		return err
	}, in)
}

// until waits for a channel to be closed.
func until(ch chan struct{}) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-ch:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func TestAnInputThatHasNotBegunHoldsBackTheClock(t *testing.T) {
	for name, put := range map[string]func(a, b rxcql.Stream[timed]) rxcql.Stream[timed]{
		"Concat": func(a, b rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Concat(a, b) },
		"Merge":  func(a, b rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Merge(b, a) },
		"Merge in Merge": func(a, b rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Merge(another("C"), operators.Merge(a, operators.Concat(b)))
		},
		"behind others": func(a, b rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.MapConcurrent(unbatched(operators.Batch(operators.Concat(a, b), operators.BatchRows(3))), 2, unevenly)
		},
		"Lanes": func(a, b rxcql.Stream[timed]) rxcql.Stream[timed] {
			return lanedBy(3, func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return in })(operators.Concat(a, b))
		},
		"a user's": func(a, b rxcql.Stream[timed]) rxcql.Stream[timed] { return inTurnOf(a, b) },
	} {
		t.Run(name, func(t *testing.T) {
			over := make(chan struct{})
			a := around(script("A", happening{part: 0, at: []int{50}, mark: 50}, happening{part: 0, mark: 60, last: true}), nil, func() { close(over) })
			b := around(script("B", happening{part: 0, at: []int{10}, mark: 10}, happening{part: 0, at: []int{70}, mark: 70, last: true}), until(over), nil)
			h := newHeard() // which compares rows with the clock
			hear(t, put(a, b), &listening{heard: h})
			require.NoError(t, h.broken)
			require.Equal(t, flow.Forever, h.clock.Now())
		})
	}
}

// inTurnOf reads two streams one after the other, as an operator of a user's may.
func inTurnOf(a, b rxcql.Stream[timed]) rxcql.Stream[timed] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "in turn"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[timed]) error {
		for _, in := range []rxcql.Stream[timed]{a, b} {
			if err := in.Subscribe(ctx, st, undone{out}); err != nil {
				return err
			}
		}
		return out.Done(ctx, false)
	}, a, b)
}

type undone struct{ flow.Observer[timed] }

func (undone) Done(context.Context, bool) error { return nil }

func TestAnInputThatWasEndedEarlyHoldsNothingBack(t *testing.T) {
	take := func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Take(in, 2) }
	for name, end := range map[string]func(in rxcql.Stream[timed]) rxcql.Stream[timed]{
		"Take": take,
		"TakeWhile": func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.TakeWhile(in, func(e timed) bool { return e.at < 3 })
		},
		"Take before Batch": func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return unbatched(operators.Batch(take(in), operators.BatchRows(100)))
		},
		"Take in lanes": lanedBy(2, take),
		"Zip":           func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return zipped(in, another("short")) },
	} {
		t.Run(name, func(t *testing.T) {
			over := make(chan struct{})
			a := around(end(script("A",
				happening{part: 0, at: []int{1, 2}, mark: 2},
				happening{part: 1, at: []int{3, 4, 5, 6}, mark: 3},
				happening{part: 2, at: []int{8}},
			)), nil, func() { close(over) })
			b := script("B",
				happening{part: 0, at: []int{9}, mark: 9, then: until(over)},
				happening{part: 0, mark: 100},
				happening{part: 0, mark: 101, last: true},
			)
			c := &clocked{}
			hear(t, c.stream(operators.Merge(a, b)), &listening{heard: newHeard()})
			require.Contains(t, c.times, markAt(100), "B alone is open then")
			require.Equal(t, flow.Forever, c.clock.Now())
		})
	}
}

// zipped ends with the shorter of two streams.
func zipped(in, other rxcql.Stream[timed]) rxcql.Stream[timed] {
	return operators.Zip(in, other, func(e, _ timed) (timed, error) { return e, nil })
}

func TestOfAnAttemptThatHasFailedNothingIsAwaited(t *testing.T) {
	a := script("A",
		happening{part: 0, at: []int{5}, mark: 5},
		happening{part: 1, at: []int{7}, mark: 7},
		happening{part: 0, at: []int{20}, mark: 20},
		happening{part: 1, at: []int{21}, mark: 21, last: true},
		happening{part: 0, mark: 30},
		happening{part: 0, last: true},
	)
	failsAt := func(in rxcql.Stream[timed], at int) rxcql.Stream[timed] {
		var once sync.Once
		return operators.Map(in, func(e timed) (timed, error) {
			err := error(nil)
			if e.at == at {
				once.Do(func() { err = errPasses })
			}
			return e, err
		})
	}
	for name, s := range map[string]rxcql.Stream[timed]{
		"Retry":   operators.Retry(failsAt(a, 20), atOnce()...),
		"Recover": operators.Recover(failsAt(a, 20), a),
		"Retry in Retry": operators.Retry(failsAt(operators.Retry(failsAt(a, 20), atOnce()...), 21),
			atOnce()...),
		"Retry before Merge": operators.Merge(operators.Retry(failsAt(a, 20), atOnce()...), another("B")),
	} {
		t.Run(name, func(t *testing.T) {
			c := &clocked{}
			p, err := rxcql.New(c.stream(s), rxcql.Sink[timed](&gather[timed]{}))
			require.NoError(t, err)
			_, err = p.Run(t.Context())
			require.NoError(t, err)
			require.NotContains(t, c.times[:len(c.times)-1], flow.Forever, "before the end")
			if name != "Retry before Merge" { // whose other input has no row to move the clock
				require.Contains(t, c.times, markAt(30), "by the last attempt alone")
			}
			require.Equal(t, flow.Forever, c.clock.Now())
		})
	}
}

func TestTheStreamThatRecoverMayGoOverToHoldsNothingBackBeforeThat(t *testing.T) {
	c := &clocked{}
	hear(t, c.stream(operators.Recover(script("A", happening{part: 0, at: []int{9}, mark: 8}, happening{part: 0, last: true}), another("B"))),
		&listening{heard: newHeard()})
	require.Contains(t, c.times, markAt(8))
}

// inMemory is a source that says nothing of event time.
func inMemory(rows []timed) rxcql.Stream[timed] {
	return source.Seq(func(yield func(timed, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}, source.PageRows(3))
}

func TestAfterStopNoInputHasEnded(t *testing.T) {
	for name, put := range map[string]func(a, b rxcql.Stream[timed]) rxcql.Stream[timed]{
		"Merge":  func(a, b rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Merge(a, b) },
		"Concat": func(a, b rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Concat(a, b) },
	} {
		t.Run(name, func(t *testing.T) {
			var p *rxcql.Pipeline
			rows := make([]timed, 100)
			a := operators.Tap(inMemory(rows), func(timed) error { p.Stop(); return nil })
			c := &clocked{}
			var err error
			p, err = rxcql.New(c.stream(put(a, inMemory(rows))), rxcql.Sink[timed](&gather[timed]{}))
			require.NoError(t, err)
			rep, err := p.Run(t.Context())
			require.NoError(t, err)
			require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
			for _, a := range c.said {
				require.False(t, a.Range == flow.AllParts && a.Last && a.Source.Name == "Seq", "%+v", a)
			}
			require.False(t, c.clock.Now().Known())
		})
	}
}
