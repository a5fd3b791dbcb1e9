package operators_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
)

// retried is errPasses at some of its calls, for operators before Retry.
type retried struct {
	at    []int
	calls atomic.Int64
}

func retriedAt(rt *rapid.T) *retried {
	return &retried{at: rapid.SliceOfN(rapid.IntRange(1, 400), 0, 8).Draw(rt, "fails at")}
}

func (r *retried) call() error {
	if slices.Contains(r.at, int(r.calls.Add(1))) {
		return errPasses
	}
	return nil
}

// jobRuns runs a job until it is complete, disturbed and with failures that Retry repeats, and
// requires after each run and at each save that what counts as settled is durable.
func jobRuns(rt *rapid.T, s rxcql.Stream[cell], parts *jobtest.Parts[cell], to *durable, d *disturbance, durableRow func(cell)) {
	store := &jobtest.Store{}
	for runs := 0; ; runs++ {
		var p *rxcql.Pipeline
		to.failAt = -1
		d.left.Store(0)
		if runs < 10 { // an end must come
			d.next(rt, func() *rxcql.Pipeline { return p })
			to.failAt = rapid.OneOf(rapid.Just(-1), rapid.IntRange(1, 40)).Draw(rt, "sink fails at")
		}
		saves := &settledIn{}
		p, err := rxcql.New(s, to, rxcql.WithCheckpoint(store, "job"), rxcql.WithHooks(saves.hooks()))
		require.NoError(rt, err)
		rep, err := p.Run(context.Background())
		require.False(rt, saves.backwards.Load(), "a position has gone back")
		require.Zero(rt, rep.BytesInFlight)
		for _, row := range settledRows(rt, store, parts) {
			durableRow(row)
		}
		if err == nil && rep.Complete {
			return
		}
		stopped := rep.EndedBy == rxcql.EndedByStop // then nothing is read again
		require.True(rt, err == nil || errors.Is(err, errUser) || errors.Is(err, errSink) || stopped && errors.Is(err, errPasses), "%v", err)
	}
}

func TestAJobWithRetryBrokenOffAnywhereLosesNothingAndClaimsNothingThatIsNotDurable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parts, d := someParts(rt), &disturbance{}
		fails := retriedAt(rt)
		c := &resumable{s: parts.Stream(), makes: func(n cell) []cell { return []cell{n} }}
		for range rapid.IntRange(1, 3).Draw(rt, "of them, one around the other") {
			for range rapid.IntRange(0, 3).Draw(rt, "verbs before") {
				c.grow(rt, d.call, resumableVerbs...)
			}
			c.s = operators.Retry(operators.Tap(c.s, func(cell) error { return fails.call() }), atOnce()...)
		}
		for range rapid.IntRange(0, 3).Draw(rt, "verbs behind") {
			c.grow(rt, d.call, resumableVerbs...)
		}
		c.s = operators.Tap(c.s, func(cell) error { return d.call() })
		to := newDurable(rapid.Uint64().Draw(rt, "seed"))
		jobRuns(rt, c.s, parts, to, d, func(row cell) {
			for _, made := range c.makes(row) {
				require.Contains(rt, to.rows, made.key(), "%v counts as settled", row)
			}
		})
		want := map[cell]int{}
		for _, rows := range parts.Rows {
			for _, row := range rows {
				for _, made := range c.makes(row) {
					want[made.key()] = made.value
				}
			}
		}
		require.Equal(rt, want, to.rows)
	})
}

func TestAFoldThatRetryReadsAgainInAJobIsNeverAFoldOfAPart(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parts, d := someParts(rt), &disturbance{}
		fails := retriedAt(rt)
		width := rapid.IntRange(1, 30).Draw(rt, "rows a group")
		group := func(n cell) cell { return cell{part: n.part, row: n.row / width} }
		folded := operators.GroupAdjacent(parts.Stream(), group, zero, func(sum int, n cell) (int, error) { return sum + n.row + 1, fails.call() })
		s := operators.Map(folded, func(g operators.Group[cell, int]) (cell, error) {
			return cell{part: g.Key.part, row: g.Key.row, value: g.Value}, d.call()
		})
		want := map[cell]int{}
		for _, rows := range parts.Rows {
			for _, row := range rows {
				want[group(row)] += row.row + 1
			}
		}
		to := newDurable(rapid.Uint64().Draw(rt, "seed"))
		jobRuns(rt, operators.Retry(s, atOnce()...), parts, to, d, func(row cell) {
			require.Equal(rt, want[group(row)], to.rows[group(row)], "the group of %v counts as settled", row)
		})
		require.Equal(rt, want, to.rows)
	})
}
