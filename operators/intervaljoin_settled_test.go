package operators_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

// endsWith closes a channel when its stream has ended.
type endsWith struct {
	flow.Observer[timed]
	ended chan struct{}
}

func (e *endsWith) Done(ctx context.Context, stopped bool) error {
	defer close(e.ended)
	return e.Observer.Done(ctx, stopped)
}

func TestAPageIsSettledWhenNothingCanReachItsRows(t *testing.T) {
	var p *rxcql.Pipeline
	var settled []int64
	look := func(context.Context) error {
		now := p.Progress()
		settled = append(settled, now.PagesSettled-now.EmptyPages)
		return nil
	}
	left, right := inTurns(
		onLeft(happening{at: []int{10, 12}}),
		onRight(happening{at: []int{11}, then: look}),
		onRight(happening{at: []int{40}, mark: 16, then: look}),
		onLeft(happening{mark: 16, then: look}), // 10 and the right 11 are out of reach, and 12 is not
		onLeft(happening{mark: 18, then: look}),
		onRight(happening{mark: 18, then: look}),
		onRight(happening{at: []int{41}, mark: 18, then: look}),
	)
	p, err := rxcql.New(near(left, right, noKey, 0, 5), &gather[timedPair]{})
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int64{0, 0, 1, 1, 2, 2}, settled)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
}

// Right 12 is not kept, since all of its partners are earlier, and left 10 is dropped later on.
func TestNoPageOfAPairIsSettledBeforeThePairIsDurable(t *testing.T) {
	left, right := inTurns(
		onLeft(happening{at: []int{10}, mark: 12}),
		onRight(happening{mark: 12}),
		onRight(happening{at: []int{12}, mark: 12}),
		onLeft(happening{mark: 30}),
		onRight(happening{mark: 30}),
	)
	out := &holdingSink{}
	p, err := rxcql.New(operators.Map(near(left, right, noKey, 1, 5), func(p timedPair) (int, error) { return p.Left.at, nil }), out)
	require.NoError(t, err)
	out.report = p.Progress
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.LessOrEqual(t, out.early, int64(0))
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestTheWatermarkOfASideThatIsAheadWaitsForTheOther(t *testing.T) {
	left, right := inTurns(
		onLeft(happening{at: []int{12}, mark: 10}),
		onRight(happening{mark: 10}),
		onLeft(happening{mark: 20}),
		onRight(happening{at: []int{11}, mark: 11}),
		onRight(happening{mark: 20, last: true}),
		onLeft(happening{last: true}),
	)
	pages, _ := pagesOut(t, near(left, right, noKey, -5, 5))
	var said []string
	for _, p := range pages {
		if len(p.Rows) > 0 {
			said = append(said, showPair(p.Rows[0]))
		}
		if p.Watermark.Known() {
			said = append(said, fmt.Sprintf("%s at %d", p.Source.Name, p.Watermark.Time().Unix()))
		}
		if p.Last && p.Range >= 0 {
			said = append(said, p.Source.Name+" ends")
		}
	}
	require.Equal(t, []string{"L at 10", "R at 10", "12-11", "L at 11", "R at 11", "L at 20", "R at 20", "R ends"}, said[:8])
	require.Contains(t, said[8:], "L ends")
}
