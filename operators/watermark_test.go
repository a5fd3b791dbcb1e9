package operators_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

func TestEveryOperatorHandsOnSourceWatermarkAndEndOfEachPart(t *testing.T) {
	for _, v := range uses() {
		t.Run(v.String(), func(t *testing.T) {
			h := newHeard()
			hear(t, v.put(script("A",
				happening{part: 0, at: []int{9, 3, 6}, mark: 10},
				happening{part: 1, mark: 5},
				happening{part: 0, mark: 20},
				happening{part: 1, mark: 7},
				happening{part: 0, last: true},
				happening{part: 1, last: true},
				happening{part: 2, at: []int{1}, mark: 2, last: true},
				happening{part: 3, last: true},
			)), &listening{heard: h})
			if v.own {
				require.Equal(t, map[partName]bool{{v.operator, 0}: true}, h.ended)
				require.Empty(t, h.marks)
				require.Equal(t, flow.Forever, h.clock.Now())
				return
			}
			if !v.loses {
				require.GreaterOrEqual(t, h.rows, 4)
			}
			marks := map[int]flow.Watermark{}
			for name, mark := range h.marks {
				if name.source == "A" {
					marks[name.part] = mark
				}
			}
			if !v.sets {
				require.Equal(t, map[int]flow.Watermark{0: markAt(20), 1: markAt(7), 2: markAt(2)}, marks)
			}
			for part := range 4 {
				require.True(t, h.ended[partName{"A", part}], "the end of part %d", part)
			}
			if !v.ends {
				require.Equal(t, flow.Forever, h.clock.Now())
			}
		})
	}
}

func TestEveryOperatorHandsOnThatAPartIsIdle(t *testing.T) {
	for _, v := range uses() {
		if v.own {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			h := newHeard()
			hear(t, v.put(script("A", // its quiet parts do not end: what is said last is heard
				happening{part: 1, idle: 100},
				happening{part: 2, idle: 101},
				happening{part: 0, at: []int{9, 3, 6}, mark: 10},
				happening{part: 1, idle: 200},
				happening{part: 2, mark: 7},
				happening{part: 0, at: []int{12}, mark: 12, last: true},
			)), &listening{heard: h})
			require.True(t, h.idle[partName{"A", 1}].Equal(idleAt(200)), "%v", h.idle)
			require.Contains(t, h.idle, partName{"A", 2})
			if !v.sets { // there are no rows to go on by
				require.Zero(t, h.idle[partName{"A", 2}], "it has gone on")
			}
			require.Zero(t, h.idle[partName{"A", 0}])
		})
	}
}

func TestAWatermarkWaitsForNoMorePagesWhereNoRowsAreHeld(t *testing.T) {
	for _, v := range uses() {
		if v.own || v.sets {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			heardOf := make(chan flow.Watermark, 100)
			hear(t, spying(v.put(script("A",
				happening{part: 0, at: []int{9, 3, 6}, mark: 10},
				happening{part: 1, mark: 5, then: told(v, heardOf, 1, 5)},
				happening{part: 0, mark: 20, then: told(v, heardOf, 0, 20)},
				happening{part: 1, mark: 7, then: told(v, heardOf, 1, 7)},
			)), func(p *flow.Page[timed]) { heardOf <- p.Watermark }), &listening{heard: newHeard()})
		})
	}
}

// told waits until downstream has heard a watermark of a part, unless the operator may hold that.
func told(v use, heardOf <-chan flow.Watermark, part, mark int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		for v.holds == nil || !v.holds(part) {
			select {
			case heard := <-heardOf:
				if heard == markAt(mark) {
					return nil
				}
			case <-ctx.Done():
				return fmt.Errorf("the watermark %d of part %d does not come: %w", mark, part, context.Cause(ctx))
			}
		}
		return nil
	}
}
