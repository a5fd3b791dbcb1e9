package rxcql_test

import (
	"context"
	"slices"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// timed sets the watermark of each part: the greatest time seen in it, less slack. A page takes as
// long as pause.
func timed(in rxcql.Stream[reading], slack int, pause time.Duration) rxcql.Stream[reading] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Timed", OneToOne: true}, func(_ *rxcql.Stage, out flow.Observer[reading]) flow.Observer[reading] {
		seen := map[flow.PartID]int{}
		return op[reading, reading]{done: out.Done, next: func(ctx context.Context, p *flow.Page[reading]) error {
			if pause > 0 {
				time.Sleep(pause)
			}
			for _, row := range p.Rows {
				if most, known := seen[p.PartID()]; !known || row.At > most {
					seen[p.PartID()] = row.At
				}
			}
			if most, known := seen[p.PartID()]; known {
				p.Watermark = second(most - slack)
			}
			return out.Next(ctx, p)
		}}
	})
}

// lagging hands on the last row of each page with the next page of its part.
func lagging(in rxcql.Stream[reading]) rxcql.Stream[reading] {
	type keptRow struct {
		rows        []reading
		reservation *flow.Reservation
	}
	return rxcql.NewStream(rxcql.StageInfo{Name: "Lagging", HoldsRows: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[reading]) error {
		account, kept := st.Account(false), map[flow.PartID]*keptRow{}
		err := in.Subscribe(ctx, st, op[reading, reading]{
			next: func(ctx context.Context, p *flow.Page[reading]) error {
				part := p.PartID()
				if k := kept[part]; k != nil {
					delete(kept, part)
					k.reservation.Emit()
					err := out.Next(ctx, &flow.Page[reading]{Rows: k.rows, Reservation: k.reservation})
					if k.reservation.Finish(err); err != nil {
						return err
					}
				}
				rows := p.Rows
				if n := len(rows) - 1; n >= 0 && !p.Last {
					k := &keptRow{rows: slices.Clone(rows[n:]), reservation: account.Reservation()}
					k.reservation.Take(p.Reservation, 1)
					k.reservation.Position = p.Position
					kept[part], rows = k, rows[:n]
				}
				return flow.HandOn(ctx, p, rows, out)
			},
			done: func(ctx context.Context, stopped bool) error {
				for _, k := range kept {
					st.Abandon(k.reservation)
				}
				return out.Done(ctx, stopped)
			},
		})
		for _, k := range kept {
			k.reservation.Release()
		}
		return err
	}, in)
}
