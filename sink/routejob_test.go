package sink_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/sink"
)

func TestFilesOfARouteHoldEachRowOnceInAJobThatIsBrokenOffAndGoesOn(t *testing.T) {
	const rows = 1000
	third := func(e event) int { return int(e.P) % 3 }
	for name, to := range map[string]func(dir string) (rxcql.Sink[event], []string){
		"files": func(dir string) (rxcql.Sink[event], []string) {
			a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
			return sink.Route(func(e event) int {
				if third(e) == 2 {
					return sink.Drop
				}
				return third(e)
			}, sink.CSV[event](a), sink.CSV[event](b)), []string{a, b}
		},
		"a file and a table": func(dir string) (rxcql.Sink[event], []string) {
			a := filepath.Join(dir, "a")
			return sink.Route(third, sink.CSV[event](a), sink.TableOn[event]((&recorder{}).send, events()), sink.Each(func(context.Context, event) error { return nil }, sink.Idempotent())), []string{a}
		},
		"a file in a Tee in it, and in a Route": func(dir string) (rxcql.Sink[event], []string) {
			a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
			return sink.Route(third, sink.Tee(sink.CSV[event](a)), sink.Route(func(event) int { return 0 }, sink.CSV[event](b)),
				sink.TableOn[event]((&recorder{}).send, events())), []string{a, b}
		},
	} {
		out, files := to(t.TempDir())
		j := newLongJob(rows)
		for _, stop := range []int{101, 333, 99} {
			j.seen, j.stop = 0, stop
			rep, err := j.run(t, out)
			require.NoError(t, err, name)
			require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
			j.seen, j.stop, j.fail = 0, 0, 55
			_, err = j.run(t, out)
			require.ErrorIs(t, err, errBroken, name)
			j.fail = 0
		}
		j.seen = 0
		rep, err := j.run(t, out)
		require.NoError(t, err, name)
		require.True(t, rep.Complete, name)
		all := strings.Split(strings.TrimSuffix(each(rows), "\n"), "\n")
		for i, file := range files {
			var want []string
			for n := i; n < rows; n += 3 {
				want = append(want, all[n+1])
			}
			require.Equal(t, append([]string{all[0]}, want...), strings.Split(strings.TrimSuffix(content(t, file), "\n"), "\n"), "%s: file %d", name, i)
		}
	}
}

func TestAJobWithARouteIsRefusedWhereOneOfItsSinksCannotBePartOfIt(t *testing.T) {
	in := newLongJob(1).parts.Stream()
	_, err := rxcql.New(in, sink.Route[event](func(event) int { return 0 }, newBranch("", nil)), rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)

	holding := operators.Batch(in, operators.BatchRows(2))
	_, err = rxcql.New(holding, sink.Route(func([]event) int { return 0 }, sink.NDJSON[[]event]("x")), rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
}

func TestAJobDoesNotGoOnWithASinkMoreInItsRoute(t *testing.T) {
	to := func(n int) rxcql.Sink[event] {
		all := []rxcql.Sink[event]{}
		for range n {
			all = append(all, sink.Each(func(context.Context, event) error { return nil }, sink.Idempotent()))
		}
		return sink.Route(func(e event) int { return int(e.P) % n }, all...)
	}
	j := newLongJob(100)
	j.stop = 50
	_, err := j.run(t, to(2))
	require.NoError(t, err)
	_, err = j.run(t, to(3))
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
}

func TestARouteKeepsTheRules(t *testing.T) {
	for name, others := range map[string]func(s *shelf) rxcql.Sink[event]{
		"Each":    func(s *shelf) rxcql.Sink[event] { return s.each(sink.InFlight(4)) },
		"Table":   func(s *shelf) rxcql.Sink[event] { return s.table() },
		"Through": func(s *shelf) rxcql.Sink[event] { return sink.Through(manyAtOnce, s.each()) },
		"Tee":     func(s *shelf) rxcql.Sink[event] { return sink.Tee(s.each()) },
	} {
		t.Run(name, func(t *testing.T) {
			rxcqltest.TestSink(t, func(testing.TB) rxcqltest.SinkPlace[event] {
				first, second := &shelf{upserts: true}, &shelf{upserts: true}
				p := second.place(func() rxcql.Sink[event] {
					return sink.Route(func(e event) int { return int(e.P) % 2 }, first.each(), others(second))
				})
				p.Repages = name == "Through"
				p.Around = func(inside rxcql.Sink[event]) rxcql.Sink[event] {
					return sink.Route(func(e event) int { return int(e.P) % 2 }, inside, others(second))
				}
				p.Rows = func() []int { return slices.Concat(first.all(), second.all()) }
				p.Fail = func(fail bool) { first.fail(fail); second.fail(fail) }
				p.Stall = func(stall bool) { first.stall(stall); second.stall(stall) }
				p.Panic = func(panics bool) { first.panic(panics); second.panic(panics) }
				return p
			})
		})
	}
}

func TestARouteOfSinksOfOneTableKeepsTheRules(t *testing.T) {
	rxcqltest.TestSink(t, func(testing.TB) rxcqltest.SinkPlace[event] {
		s := &shelf{upserts: true}
		p := s.place(func() rxcql.Sink[event] {
			return sink.Route(func(e event) int { return int(e.P) % 3 }, s.table(), s.table(), sink.Through(onto, s.table()))
		})
		p.Panic = nil // no function of a user's is called
		return p
	})
}
