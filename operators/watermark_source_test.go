package operators_test

import (
	"context"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// happening is a page to be given: rows of a part at these times, and what the part says
// behind them. A mark of 0 says nothing, and if idle is not 0 the part is idle at that time.
type happening struct {
	part int
	at   []int
	mark int
	idle int
	last bool
	then func(ctx context.Context) error // called when the page has been handed on; may be nil
}

func markAt(at int) flow.Watermark {
	if at == 0 {
		return flow.Watermark{}
	}
	return flow.WatermarkAt(time.Unix(int64(at), 0))
}

// script is a source of pages with watermarks.
func script(name string, pages ...happening) rxcql.Stream[timed] {
	info := rxcql.StageInfo{Name: name, Source: true}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[timed]) error {
		defer st.Input().Done()
		numbers := map[int]int64{}
		st.Parts(ctx, flow.Parts{Count: partsOf(pages)})
		for _, each := range pages {
			select {
			case <-st.Run().Stopping():
				return out.Done(ctx, true)
			default:
			}
			reservation, err := st.Input().Reserve(ctx, 64)
			if err != nil {
				return err
			}
			p := &flow.Page[timed]{Reservation: reservation}
			for _, at := range each.at {
				p.Rows = append(p.Rows, timed{name, each.part, at})
			}
			p.Say(flow.Advance{
				Position:  flow.Position{Range: each.part, Page: numbers[each.part], Last: each.last},
				Watermark: markAt(each.mark), Idle: flow.IdleAt(idleAt(each.idle)),
			})
			numbers[each.part]++
			p.Resize(int64(len(p.Rows)) * 64)
			p.AddReceipt(st.Receipt())
			st.CountPage(len(p.Rows), 0)
			err = out.Next(ctx, p)
			p.Finish(err)
			if err == nil && each.then != nil {
				err = each.then(ctx)
			}
			if err != nil {
				return err
			}
		}
		return out.Done(ctx, false)
	})
}

func idleAt(at int) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(int64(at), 0)
}

func partsOf(pages []happening) int {
	parts := map[int]bool{}
	for _, p := range pages {
		parts[p.part] = true
	}
	return len(parts)
}
