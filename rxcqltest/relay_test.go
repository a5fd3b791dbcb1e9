package rxcqltest_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/rxcqltest"
)

// relay is a sink that hands all on to another one. Functions that are not nil make it wrong.
type relay struct {
	rxcql.Sink[int]

	write func(w *relayWriter, p *flow.Page[int]) error
	flush func(ctx context.Context, w *relayWriter) error
	close func(w *relayWriter) error
}

func (s *relay) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[int], error) {
	inside, err := s.Sink.Open(ctx, r)
	return &relayWriter{Writer: inside, relay: s, ctx: ctx}, err
}

type relayWriter struct {
	rxcql.Writer[int]
	*relay
	ctx  context.Context
	late sync.WaitGroup
}

func (w *relayWriter) Write(ctx context.Context, p *flow.Page[int]) error {
	if w.write != nil {
		return w.write(w, p)
	}
	return w.Writer.Write(ctx, p)
}

func (w *relayWriter) Flush(ctx context.Context) error {
	w.late.Wait()
	if w.flush != nil {
		return w.flush(ctx, w)
	}
	return w.Writer.Flush(ctx)
}

func (w *relayWriter) Close() error {
	w.late.Wait()
	if w.close != nil {
		return w.close(w)
	}
	return w.Writer.Close()
}

// wrongInside are sinks that call the one inside in a wrong way.
func wrongInside() []plant[rxcqltest.SinkPlace[int]] {
	const left = "A sink inside is flushed once when all is written, closed once at last, and then left alone"
	around := func(wrong relay) func(testing.TB) rxcqltest.SinkPlace[int] {
		return func(t testing.TB) rxcqltest.SinkPlace[int] {
			p := shelfPlace(nil)(t)
			p.Around = func(inside rxcql.Sink[int]) rxcql.Sink[int] {
				s := wrong
				s.Sink = inside
				return &s
			}
			return p
		}
	}
	return []plant[rxcqltest.SinkPlace[int]]{
		{"A sink inside is called one call at a time", "it writes in the background", around(relay{
			write: func(w *relayWriter, p *flow.Page[int]) error {
				page := &flow.Page[int]{Rows: slices.Clone(p.Rows), Reservation: &flow.Reservation{Position: p.Position}}
				w.late.Go(func() { _ = w.Writer.Write(w.ctx, page) })
				return nil
			},
		})},
		{left, "it flushes behind each page", around(relay{
			write: func(w *relayWriter, p *flow.Page[int]) error {
				if err := w.Writer.Write(w.ctx, p); err != nil {
					return err
				}
				return w.Writer.Flush(w.ctx)
			},
		})},
		{left, "it does not flush", around(relay{flush: func(context.Context, *relayWriter) error { return nil }})},
		{left, "it flushes also after an error", around(relay{
			flush: func(context.Context, *relayWriter) error { return nil },
			close: func(w *relayWriter) error {
				_ = w.Writer.Flush(w.ctx)
				return w.Writer.Close()
			},
		})},
		{left, "it does not close", around(relay{close: func(*relayWriter) error { return nil }})},
		{left, "it closes twice", around(relay{
			close: func(w *relayWriter) error {
				_ = w.Writer.Close()
				return w.Writer.Close()
			},
		})},
	}
}
