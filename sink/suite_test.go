package sink_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/sink"
)

// shelf is where rows of the suite are put.
type shelf struct {
	mu      sync.Mutex
	rows    []int
	upserts bool // a row that comes again takes the place of the one before
	fails   bool
	panics  bool          // a function of Each does
	stalled chan struct{} // nil unless writes hang
}

var errShelf = errors.New("the shelf is broken")

func (s *shelf) put(ctx context.Context, rows ...int) error {
	s.mu.Lock()
	stalled := s.stalled
	s.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails {
		return errShelf
	}
	for _, n := range rows {
		if !s.upserts || !slices.Contains(s.rows, n) {
			s.rows = append(s.rows, n)
		}
	}
	return nil
}

func (s *shelf) all() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rows)
}

func (s *shelf) fail(fail bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = fail
}

func (s *shelf) panic(panics bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.panics = panics
}

func (s *shelf) isPanicking() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.panics
}

func (s *shelf) stall(stall bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stall && s.stalled == nil {
		s.stalled = make(chan struct{})
	}
	if !stall && s.stalled != nil {
		close(s.stalled)
		s.stalled = nil
	}
}

// place is what the suite needs of sinks that write to the shelf.
func (s *shelf) place(made func() rxcql.Sink[event]) rxcqltest.SinkPlace[event] {
	return rxcqltest.SinkPlace[event]{
		Sink: made, Rows: s.all, Fail: s.fail, Stall: s.stall, Panic: s.panic,
		Row: func(n int) event { return event{P: int64(n)} },
		Bad: func(n int) event { return event{P: int64(n), V: "bad"} },
	}
}

// each is sink.Each onto the shelf.
func (s *shelf) each(opts ...sink.EachOption) rxcql.Sink[event] {
	return sink.Each(func(ctx context.Context, e event) error {
		if e.V == "bad" {
			return errors.New("bad")
		}
		if s.isPanicking() {
			panic(errShelf)
		}
		return s.put(ctx, int(e.P))
	}, append(opts, sink.Idempotent())...)
}

// table is sink.Table onto the shelf.
func (s *shelf) table(opts ...sink.TableOption) rxcql.Sink[event] {
	server := func(ctx context.Context, sent sink.Sent) error {
		var rows []int
		for _, r := range sent.Rows {
			if bytes.Equal(r.Values[2].([]byte), []byte("bad")) {
				return invalid{}
			}
			rows = append(rows, int(binary.BigEndian.Uint64(r.Values[0].([]byte))))
		}
		err := s.put(ctx, rows...)
		if errors.Is(err, errShelf) {
			err = errors.Join(err, gocql.ErrSessionClosed)
		}
		return err
	}
	return sink.TableOn[event](server, events(), opts...)
}

// deletes is sink.Table onto the shelf, with Delete: a row is there when it has been deleted.
func (s *shelf) deletes(opts ...sink.TableOption) rxcql.Sink[event] {
	server := func(ctx context.Context, sent sink.Sent) error {
		var rows []int
		for _, r := range sent.Rows {
			if !strings.HasPrefix(r.CQL, "DELETE FROM ") {
				return errors.New("this deletes no row: " + r.CQL)
			}
			n := int(binary.BigEndian.Uint64(r.Values[0].([]byte)))
			if c := binary.BigEndian.Uint32(r.Values[1].([]byte)); c != uint32(n) {
				return invalid{}
			}
			rows = append(rows, n)
		}
		err := s.put(ctx, rows...)
		if errors.Is(err, errShelf) {
			err = errors.Join(err, gocql.ErrSessionClosed)
		}
		return err
	}
	return sink.TableOn[event](server, events(), append(opts, sink.Delete())...)
}

func TestTablesThatDeleteKeepTheRules(t *testing.T) {
	for name, opts := range map[string][]sink.TableOption{
		"row by row": {sink.BatchRows(1)}, "in batches": nil, "in batches by replica set": {sink.BatchByReplicaSet(10, 4<<10)},
		"sorted": byToken(),
	} {
		t.Run(name, func(t *testing.T) {
			rxcqltest.TestSink(t, func(testing.TB) rxcqltest.SinkPlace[event] {
				s := &shelf{upserts: true}
				p := s.place(func() rxcql.Sink[event] { return s.deletes(opts...) })
				p.Row = func(n int) event { return event{P: int64(n), C: int32(n), V: "it is not part of the key"} }
				p.Bad = func(n int) event { return event{P: int64(n), C: -1} }
				p.Panic = nil // no function of a user's is called
				return p
			})
		})
	}
}

func onto(in rxcql.Stream[event]) rxcql.Stream[event] {
	return operators.Map(in, func(e event) (event, error) { return e, nil })
}

func manyAtOnce(in rxcql.Stream[event]) rxcql.Stream[event] {
	return operators.MapConcurrent(in, 8, func(_ context.Context, e event) (event, error) { return e, nil })
}

func TestSinksKeepTheRules(t *testing.T) {
	for name, made := range map[string]func(*shelf) func() rxcql.Sink[event]{
		"Each": func(s *shelf) func() rxcql.Sink[event] { return func() rxcql.Sink[event] { return s.each() } },
		"Each, many at once": func(s *shelf) func() rxcql.Sink[event] {
			return func() rxcql.Sink[event] { return s.each(sink.InFlight(8)) }
		},
		"Table": func(s *shelf) func() rxcql.Sink[event] { return func() rxcql.Sink[event] { return s.table() } },
		"Table, batches by replica set": func(s *shelf) func() rxcql.Sink[event] {
			return func() rxcql.Sink[event] { return s.table(sink.BatchByReplicaSet(10, 4<<10)) }
		},
		"Table, sorted": func(s *shelf) func() rxcql.Sink[event] {
			return func() rxcql.Sink[event] { return s.table(byToken()...) }
		},
		"Through": func(s *shelf) func() rxcql.Sink[event] {
			return func() rxcql.Sink[event] { return sink.Through(onto, s.each()) }
		},
		"Through, many at once": func(s *shelf) func() rxcql.Sink[event] {
			return func() rxcql.Sink[event] { return sink.Through(manyAtOnce, s.table()) }
		},
		"Through Through": func(s *shelf) func() rxcql.Sink[event] {
			return func() rxcql.Sink[event] { return sink.Through(onto, sink.Through(onto, s.each(sink.InFlight(3)))) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			rxcqltest.TestSink(t, func(testing.TB) rxcqltest.SinkPlace[event] {
				s := &shelf{upserts: strings.HasPrefix(name, "T")}
				p := s.place(made(s))
				p.Repages = name == "Through, many at once"
				p.Around = map[string]func(inside rxcql.Sink[event]) rxcql.Sink[event]{
					"Through":               func(inside rxcql.Sink[event]) rxcql.Sink[event] { return sink.Through(onto, inside) },
					"Through, many at once": func(inside rxcql.Sink[event]) rxcql.Sink[event] { return sink.Through(manyAtOnce, inside) },
					"Through Through": func(inside rxcql.Sink[event]) rxcql.Sink[event] {
						return sink.Through(manyAtOnce, sink.Through(onto, inside))
					},
				}[name]
				if p.Repages || strings.HasPrefix(name, "Table") { // which call no function of a user's
					p.Panic = nil
				}
				return p
			})
		})
	}
}

func TestATeeKeepsTheRules(t *testing.T) {
	for name, others := range map[string]func(s *shelf) rxcql.Sink[event]{
		"Each":          func(s *shelf) rxcql.Sink[event] { return s.each(sink.InFlight(4)) },
		"Table":         func(s *shelf) rxcql.Sink[event] { return s.table() },
		"Table, sorted": func(s *shelf) rxcql.Sink[event] { return s.table(byToken()...) },
		"Through":       func(s *shelf) rxcql.Sink[event] { return sink.Through(manyAtOnce, s.each()) },
	} {
		t.Run(name, func(t *testing.T) {
			rxcqltest.TestSink(t, func(testing.TB) rxcqltest.SinkPlace[event] {
				first, second := &shelf{upserts: true}, &shelf{upserts: true}
				p := second.place(func() rxcql.Sink[event] { return sink.Tee(first.each(), others(second)) })
				p.Copies, p.Repages = 2, name == "Through"
				p.Around = func(inside rxcql.Sink[event]) rxcql.Sink[event] {
					return sink.Tee(others(second), inside, first.each())
				}
				if strings.HasPrefix(name, "Table") {
					p.Panic = first.panic
				}
				p.Rows = func() []int {
					both := first.all()
					return slices.DeleteFunc(second.all(), func(n int) bool { return !slices.Contains(both, n) })
				}
				return p
			})
		})
	}
}
