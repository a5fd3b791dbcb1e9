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
			require.Equal(t, map[int]flow.Watermark{0: markAt(20), 1: markAt(7), 2: markAt(2)}, marks)
			for part := range 4 {
				require.True(t, h.ended[partName{"A", part}], "the end of part %d", part)
			}
		})
	}
}

func TestAWatermarkWaitsForNoMorePagesWhereNoRowsAreHeld(t *testing.T) {
	for _, v := range uses() {
		if v.own {
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
