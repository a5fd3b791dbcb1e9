package rxcql_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// inParts is a source of two ranges with three pages of a row each.
func inParts() rxcql.Stream[int] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		if done, _, err := st.Resume(rxcql.Identity{}); err != nil || len(done) > 0 {
			return err
		}
		for i, span := range []flow.TokenRange{{Start: flow.WholeRange.Start, End: 9}, {Start: 9, End: flow.WholeRange.End}} {
			track := st.Track(span)
			for n := range 3 {
				reservation, err := st.Input().Reserve(ctx, 1)
				if err != nil {
					return err
				}
				p := &flow.Page[int]{Rows: []int{10*i + n}, Reservation: reservation}
				p.Position = flow.Position{Range: i, Page: int64(n), Last: n == 2}
				if err := flow.Deliver(ctx, track, p, 8, []byte{1}, out); err != nil {
					return err
				}
			}
		}
		return out.Done(ctx, false)
	})
}

// keeper is an operator that hands all pages on and keeps the one of a row for ever.
func keeper(in rxcql.Stream[int], name string, row int, forget func(*flow.Reservation)) rxcql.Stream[int] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: name}, func(st *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		acc := st.Account(true)
		return op[int, int]{done: out.Done, next: func(ctx context.Context, p *flow.Page[int]) error {
			if len(p.Rows) > 0 && p.Rows[0] == row {
				l := acc.Reservation()
				l.Take(p.Reservation, 0)
				forget(l)
			}
			return out.Next(ctx, p)
		}}
	})
}

func TestARunThatLeavesPagesUnsettledSaysWhichAndWhoKeptThem(t *testing.T) {
	never := func(*flow.Reservation) {}
	each := sink.Each(func(context.Context, int) error { return nil }, sink.InFlight(3), sink.Idempotent())
	second := "(9, 9223372036854775807]"
	for name, c := range map[string]struct {
		in   rxcql.Stream[int]
		to   rxcql.Sink[int]
		want rxcql.UnsettledError
	}{
		"an operator that forgets a reservation": {
			in:   keeper(inParts(), "Forgets", 11, never),
			want: rxcql.UnsettledError{Unsettled: 1, Pages: 6, Stage: "Forgets", Part: second, Page: 1},
		},
		"one that gives the bytes back alone": {
			in:   keeper(inParts(), "Releases", 11, func(l *flow.Reservation) { l.Release() }),
			want: rxcql.UnsettledError{Unsettled: 1, Pages: 6, Stage: "Releases", Part: second, Page: 1},
		},
		"two that forget pages: each of them is named": {
			in:   keeper(keeper(inParts(), "First", 11, never), "Second", 12, never),
			want: rxcql.UnsettledError{Unsettled: 2, Pages: 6, Stage: "First", Or: []string{"Second"}, Part: second, Page: 1},
		},
		"one before others that keep rows, and let go": {
			in:   operators.MapConcurrent(keeper(inParts(), "Forgets", 12, never), 2, func(_ context.Context, n int) (int, error) { return n, nil }),
			want: rxcql.UnsettledError{Unsettled: 1, Pages: 6, Stage: "Forgets", Part: second, Page: 2},
		},
		"one behind others": {
			in: keeper(operators.MapConcurrent(inParts(), 1, func(_ context.Context, n int) (int, error) { return n, nil }), "Forgets", 2, never),
			want: rxcql.UnsettledError{
				Unsettled: 1, Pages: 6, Stage: "Forgets", Part: "(-9223372036854775808, 9]", Page: 2,
			},
		},
		"one behind a fold, of the group of two pages": {
			in: keeper(operators.Map(operators.GroupAdjacent(inParts(), func(n int) int { return n }, func() int { return 0 },
				func(_, n int) (int, error) { return n, nil }), func(g operators.Group[int, int]) (int, error) { return g.Value, nil }),
				"Forgets", 11, never),
			want: rxcql.UnsettledError{Unsettled: 2, Pages: 6, Stage: "Forgets", Part: second, Page: 1},
		},
		"one before a fold": {
			in: operators.Map(operators.GroupAdjacent(keeper(inParts(), "Forgets", 11, never), func(n int) int { return n }, func() int { return 0 },
				func(_, n int) (int, error) { return n, nil }), func(g operators.Group[int, int]) (int, error) { return g.Value, nil }),
			want: rxcql.UnsettledError{Unsettled: 1, Pages: 6, Stage: "Forgets", Part: second, Page: 1},
		},
		"a sink of one's own": {
			to:   forgetful{"Careless"},
			want: rxcql.UnsettledError{Unsettled: 1, Pages: 6, Stage: "Careless", Part: second, Page: 2},
		},
		"a sink behind a Tee": {
			to:   sink.Tee(each, rxcql.Sink[int](forgetful{"Careless"}), each),
			want: rxcql.UnsettledError{Unsettled: 1, Pages: 6, Stage: "Careless", Part: second, Page: 2},
		},
		"an operator in a branch of a Tee": {
			to: sink.Tee(each, sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[int] {
				return operators.MapConcurrent(keeper(in, "Inside", 10, never), 2, func(_ context.Context, n int) (int, error) { return n, nil })
			}, each)),
			want: rxcql.UnsettledError{Unsettled: 1, Pages: 6, Stage: "Inside", Part: second},
		},
		"a sink": {
			to:   sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[int] { return keeper(in, "Inside", 0, never) }, each),
			want: rxcql.UnsettledError{Unsettled: 1, Pages: 6, Stage: "Inside", Part: "(-9223372036854775808, 9]"},
		},
	} {
		for kind, opts := range map[string][]rxcql.Option{"": nil, " in a job": {rxcql.WithCheckpoint(&jobtest.Store{}, "job")}} {
			alone(t, name+kind, func(t *testing.T) {
				in, to := c.in, c.to
				if c.to == nil {
					to = each
				} else {
					in = inParts()
				}
				rep, err := rxcql.Run(t.Context(), in, to, opts...)
				require.ErrorIs(t, err, rxcql.ErrUnsettled)
				var got *rxcql.UnsettledError
				require.ErrorAs(t, err, &got)
				require.Equal(t, c.want, *got)
				require.ErrorContains(t, err, "stage "+c.want.Stage)
				require.ErrorContains(t, err, c.want.Part)
				require.False(t, rep.Complete)
				require.EqualValues(t, rep.Pages-rep.PagesSettled, got.Unsettled)
			})
		}
	}
}

// forgetful is a sink that keeps the page of row 12 for ever.
type forgetful struct{ name string }

func (forgetful) Info() rxcql.SinkInfo { return rxcql.SinkInfo{Resumable: true} }

func (forgetful) Check(context.Context) error { return nil }

func (f forgetful) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[int], error) {
	st := r.SinkStage(f.name)
	return &forgetfulWriter{st: st, kept: st.Account(true)}, nil
}

type forgetfulWriter struct {
	st   *rxcql.Stage
	kept *flow.Account
}

func (w *forgetfulWriter) Write(_ context.Context, p *flow.Page[int]) error {
	for _, row := range p.Rows {
		l := w.kept.Reservation()
		l.Take(p.Reservation, 0)
		if w.st.CountWritten(1); row != 12 {
			l.Settle()
		}
	}
	return nil
}

func (*forgetfulWriter) Flush(context.Context) error { return nil }

func (*forgetfulWriter) Close() error { return nil }

func TestOfSeveralSourcesTheOneWithThePageIsNamed(t *testing.T) {
	in := operators.Merge(keeper(seq(20), "Keeps none", -1, nil), keeper(seq(20), "Forgets", 10, func(*flow.Reservation) {}))
	each := sink.Each(func(context.Context, int) error { return nil })
	_, err := rxcql.Run(t.Context(), in, each)
	var got *rxcql.UnsettledError
	require.ErrorAs(t, err, &got)
	require.Equal(t, rxcql.UnsettledError{Unsettled: 1, Pages: got.Pages, Stage: "Forgets", Part: "all of Seq 2", Page: 1}, *got)
	require.ErrorContains(t, err, "page 1 of range all of Seq 2, which stage Forgets has not let go of")
}

func TestASourceThatDoesNotEndItsPageIsNamedForIt(t *testing.T) {
	in := rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		reservation, err := st.Input().Reserve(ctx, 1)
		if err != nil {
			return err
		}
		reservation.Position = flow.Position{Range: 3, Page: 7}
		reservation.AddReceipt(st.Receipt())
		st.CountPage(1, 1)
		if err := out.Next(ctx, &flow.Page[int]{Rows: []int{1}, Reservation: reservation}); err != nil {
			return err
		}
		reservation.Release()
		return out.Done(ctx, false)
	})
	_, err := in.Count(t.Context())
	var got *rxcql.UnsettledError
	require.ErrorAs(t, err, &got)
	require.Equal(t, rxcql.UnsettledError{Unsettled: 1, Pages: 1, Stage: "Own", Part: "3", Page: 7}, *got)
	require.EqualError(t, err, "rxcql: pages left unsettled: 1 of 1; the first is page 7 of range 3, which stage Own has not let go of")
}

func TestASaveWithABarrierSaysWhoKeepsThePages(t *testing.T) {
	alone(t, "barrier", func(t *testing.T) {
		to := &resuming{info: rxcql.SinkInfo{Barrier: true}}
		_, err := rxcql.Run(t.Context(), keeper(inParts(), "Forgets", 0, func(*flow.Reservation) {}), rxcql.Sink[int](to),
			rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		var got *rxcql.UnsettledError
		require.ErrorAs(t, err, &got)
		require.Equal(t, rxcql.UnsettledError{Unsettled: 1, Pages: 6, Stage: "Forgets", Part: "(-9223372036854775808, 9]"}, *got)
	})
}
