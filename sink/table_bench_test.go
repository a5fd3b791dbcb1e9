package sink_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// benchPages feeds a sink with b.N rows in pages of 1,000. The end is not measured,
// and from 125,000 rows on the sinks wait for the time: -benchtime 100000x -count 20
// measures what the client does.
func benchPages(b *testing.B, to rxcql.Sink[event]) {
	b.Helper()
	rows := partitions(10, 100)
	pages := rxcql.NewStream(rxcql.StageInfo{Name: "Pages", Source: true},
		func(ctx context.Context, st *rxcql.Stage, out flow.Observer[event]) error {
			defer st.Input().Done()
			for left := b.N; left > 0; left -= len(rows) {
				reservation, err := st.Input().Reserve(ctx, 1<<16)
				if err != nil {
					return err
				}
				err = out.Next(ctx, &flow.Page[event]{Rows: rows[:min(left, len(rows))], Reservation: reservation})
				reservation.Finish(err)
				if err != nil {
					return err
				}
			}
			b.StopTimer()
			return out.Done(ctx, false)
		})
	p, err := rxcql.New(pages, to)
	require.NoError(b, err)
	b.ReportAllocs()
	b.ResetTimer()
	_, err = p.Run(context.Background())
	require.NoError(b, err)
}

func BenchmarkTable(b *testing.B) { benchPages(b, sink.TableIntoNothing[event](events())) }

func BenchmarkTeeOfTwoTables(b *testing.B) {
	another := events()
	another.ID = "another"
	benchPages(b, sink.Tee(sink.TableIntoNothing[event](events()), sink.TableIntoNothing[event](another)))
}

func BenchmarkTeeOfOneTable(b *testing.B) {
	benchPages(b, sink.Tee(sink.TableIntoNothing[event](events()), sink.TableIntoNothing[event](events())))
}

func BenchmarkTeeOfOneTableBehindThroughs(b *testing.B) {
	half := func(odd int32) rxcql.Sink[event] {
		return sink.Through(func(in rxcql.Stream[event]) rxcql.Stream[event] {
			return operators.Filter(in, func(e event) bool { return e.C&1 == odd })
		}, sink.TableIntoNothing[event](events()))
	}
	benchPages(b, sink.Tee(half(0), half(1)))
}
