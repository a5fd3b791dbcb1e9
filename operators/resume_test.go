package operators_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
)

// disturbance fails, or stops the pipeline, at one of its calls.
type disturbance struct {
	left atomic.Int64
	stop func() // nil to fail
}

func (d *disturbance) next(rt *rapid.T, p func() *rxcql.Pipeline) {
	d.left.Store(int64(rapid.IntRange(1, 300).Draw(rt, "disturbed at")))
	d.stop = nil
	if rapid.Bool().Draw(rt, "by stop") {
		d.stop = func() { p().Stop() }
	}
}

func (d *disturbance) call() error {
	if d.left.Add(-1) != 0 {
		return nil
	}
	if d.stop == nil {
		return errUser
	}
	d.stop()
	return nil
}

func someParts(rt *rapid.T) *jobtest.Parts[cell] {
	p := &jobtest.Parts[cell]{PageRows: rapid.IntRange(1, 9).Draw(rt, "page"), Seed: rapid.Uint64().Draw(rt, "order")}
	for part := range rapid.IntRange(1, 5).Draw(rt, "parts") {
		rows := []cell{}
		for row := range rapid.IntRange(0, 60).Draw(rt, "rows") {
			rows = append(rows, cell{part: part, row: row})
		}
		p.Rows = append(p.Rows, rows)
	}
	return p
}

// settledRows are the rows that a checkpoint takes for done with.
func settledRows(t require.TestingT, store *jobtest.Store, parts *jobtest.Parts[cell]) (settled []cell) {
	state, err := store.State("job")
	require.NoError(t, err)
	for _, src := range state.Sources {
		rows, err := parts.Settled(src)
		require.NoError(t, err)
		settled = append(settled, rows...)
	}
	return settled
}

// runs runs a job until it is complete; check is called after every run.
func (d *disturbance) runs(rt *rapid.T, s rxcql.Stream[cell], store *jobtest.Store, parts *jobtest.Parts[cell], to *durable, check func()) {
	rows := 0
	for _, part := range parts.Rows {
		rows += len(part)
	}
	for runs := 0; ; runs++ {
		var p *rxcql.Pipeline
		to.failAt = -1
		d.left.Store(0)
		if runs < 20 { // an end must come
			d.next(rt, func() *rxcql.Pipeline { return p })
			to.failAt = rapid.OneOf(rapid.Just(-1), rapid.IntRange(1, 20)).Draw(rt, "sink fails at")
		}
		p, err := rxcql.New(s, to, rxcql.WithCheckpoint(store, "job"))
		require.NoError(rt, err)
		settled, before := 0, parts.Read
		if runs > 0 {
			settled = len(settledRows(rt, store, parts))
		}
		rep, err := p.Run(context.Background())
		require.LessOrEqual(rt, parts.Read-before, rows-settled, "rows were read again that were settled")
		require.EqualValues(rt, settled, rep.ResumedRows)
		require.Zero(rt, rep.BytesInFlight)
		require.False(rt, store.Locked("job"))
		require.Equal(rt, runs > 0, rep.Resumed)
		check()
		if err == nil && rep.Complete {
			return
		}
		require.True(rt, err == nil || errors.Is(err, errUser) || errors.Is(err, errSink), "%v", err)
	}
}

func TestAJobBrokenOffAnywhereLosesNothingAndClaimsNothingThatIsNotDurable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parts, store, d := someParts(rt), &jobtest.Store{}, &disturbance{}
		c := &resumable{s: parts.Stream(), makes: func(n cell) []cell { return []cell{n} }}
		for range rapid.IntRange(0, 4).Draw(rt, "verbs") {
			c.grow(rt, d.call, resumableVerbs...)
		}
		c.s = operators.Tap(c.s, func(cell) error { return d.call() })
		to := newDurable(rapid.Uint64().Draw(rt, "seed"))
		d.runs(rt, c.s, store, parts, to, func() {
			for _, row := range settledRows(rt, store, parts) {
				for _, made := range c.makes(row) {
					require.Contains(rt, to.rows, made.key(), "%v counts as settled", row)
				}
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

func TestAFoldBrokenOffAnywhereIsNeverAFoldOfAPart(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parts, store, d := someParts(rt), &jobtest.Store{}, &disturbance{}
		width := rapid.IntRange(1, 30).Draw(rt, "rows a group")
		group := func(n cell) cell { return cell{part: n.part, row: n.row / width} }
		keep := rapid.IntRange(1, 9).Draw(rt, "keep")
		rows := operators.Filter(parts.Stream(), func(n cell) bool { return n.row%keep == 0 })
		if rapid.Bool().Draw(rt, "concurrent") {
			rows = operators.MapConcurrent(rows, 3, func(_ context.Context, n cell) (cell, error) { return n, d.call() })
		}
		folded := operators.GroupAdjacent(rows, group, zero, func(sum int, n cell) (int, error) { return sum + n.row + 1, d.call() })
		s := operators.Map(folded, func(g operators.Group[cell, int]) (cell, error) {
			return cell{part: g.Key.part, row: g.Key.row, value: g.Value}, d.call()
		})
		want := map[cell]int{}
		for _, rows := range parts.Rows {
			for _, row := range rows {
				if row.row%keep == 0 {
					want[group(row)] += row.row + 1
				}
			}
		}
		to := newDurable(rapid.Uint64().Draw(rt, "seed"))
		d.runs(rt, s, store, parts, to, func() {
			for _, row := range settledRows(rt, store, parts) {
				if row.row%keep == 0 {
					require.Equal(rt, want[group(row)], to.rows[group(row)], "the group of %v counts as settled", row)
				}
			}
		})
		require.Equal(rt, want, to.rows)
	})
}
