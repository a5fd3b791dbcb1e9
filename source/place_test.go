package source_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/cqltest"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

const scripted = "SELECT v FROM ks.t"

// limited answers as Cassandra does to a statement with a LIMIT: a page as large as
// that begins anew with any page state. Some pages are shorter than was asked
// for, and some are empty.
type limited struct {
	rows  int // of the table
	limit int
	short func(place int) int // the most rows in the page that begins there the first time; negative for any
	tried map[int]bool        // places of short pages that have been
}

func (l *limited) answer(size int, state string) (rows []int32, next string, failure message.Message) {
	all := min(l.rows, l.limit)
	from := 0
	if state != "" && size < l.limit && size > 0 {
		from, _ = strconv.Atoi(state)
	}
	n := all - from
	if size > 0 {
		n = min(n, size)
	}
	if most := l.short(from); size < l.limit && size > 0 && most >= 0 && !l.tried[from] {
		l.tried[from] = true
		n = min(n, most)
	}
	for i := range n {
		rows = append(rows, int32(from+i))
	}
	if from+n < all || n < min(size, all-from) {
		next = strconv.Itoa(from + n)
	}
	return rows, next, nil
}

func numbers(n int) []int32 {
	all := make([]int32, n)
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

func TestTheRowsOfAStatementWithALimitComeOnceHoweverPagesFallAndWhereverAJobGoesOn(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limits := []int{1, 2, 99, 100, 101, 150, 199, 200, 201, 300, 1000, 1100, 9999, 10_000, 10_001}
		server := &limited{
			rows:  rapid.SampledFrom(append(limits, 20_000)).Draw(r, "rows"),
			limit: rapid.SampledFrom(limits).Draw(r, "limit"),
			tried: map[int]bool{},
		}
		first, seed := rapid.SampledFrom([]int{-1, -1, 0, 1, 50}).Draw(r, "the first page"), rapid.Uint64().Draw(r, "seed")
		server.short = func(place int) int {
			if place == 0 {
				return first
			}
			return []int{-1, -1, -1, 0, 1}[rand.New(rand.NewPCG(seed, uint64(place))).IntN(5)]
		}
		pages := rapid.SampledFrom([]int{1, 2, 99, 100, 101, 1000, 10_000, 10_001, 20_000}).Draw(r, "PageRows")
		if pages < 99 {
			server.rows = min(server.rows, 201)
		}
		ends := &ending{t: t}
		defer ends.now()
		cql := scripted + " LIMIT " + strconv.Itoa(server.limit)
		session := (&cqltest.Script{Statement: cql, Answer: server.answer}).Start(ends)
		budget := rapid.SampledFrom([]int64{64 << 10, 64 << 20}).Draw(r, "budget")
		stream := source.Query[int32](session, cql, source.PageRows(pages))

		store := &jobtest.Store{}
		var got []int32
		for runs := 0; ; runs++ {
			require.Less(r, runs, 100)
			after := rapid.IntRange(1, 2*server.limit).Draw(r, "rows until it is broken off")
			rows, rep := runUntil(r, stream, store, after, rapid.Bool().Draw(r, "by an error"), rxcql.WithBudget(budget))
			got = append(got[:rep.ResumedRows], rows...)
			if rep.Complete {
				break
			}
			if settled, err := store.State("job"); err == nil && len(settled.Sources) > 0 {
				for _, part := range settled.Sources[0].Parts {
					require.Equal(r, strconv.Itoa(int(part.Rows)), string(part.State))
				}
			}
		}
		require.Equal(r, numbers(min(server.rows, server.limit)), got)
	})
}

func TestPagesOfAStatementThatMayHaveALimitGrowByWhatHasCome(t *testing.T) {
	for cql, want := range map[string][]int{
		scripted:                  {100, 5000, 5000, 5000},
		scripted + " LIMIT 20000": {100, 100, 200, 400, 800, 1600, 3200, 5000, 5000},
		scripted + " lImIt 20000": {100, 100, 200, 400, 800, 1600, 3200, 5000, 5000},
	} {
		server := &limited{rows: 12_000, limit: 20_000, short: func(int) int { return -1 }}
		s := &cqltest.Script{Statement: cql, Answer: server.answer}
		n, err := source.Query[int32](s.Start(t), cql, source.PageRows(5000)).Count(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 12_000, n)
		require.Equal(t, want, s.Sizes())
	}
}

// ending is a test that ends within another.
type ending struct {
	t     *testing.T
	calls []func()
}

func (e *ending) Errorf(format string, args ...any) { e.t.Errorf(format, args...) }
func (e *ending) FailNow()                          { e.t.FailNow() }
func (e *ending) Helper()                           {}
func (e *ending) Cleanup(call func())               { e.calls = append(e.calls, call) }

func (e *ending) now() {
	for _, call := range slices.Backward(e.calls) {
		call()
	}
}

var errBroken = errors.New("broken on purpose")

// runUntil runs a job until so many rows have come, then stops or breaks it. It
// returns the rows of this run.
func runUntil(t require.TestingT, in rxcql.Stream[int32], store *jobtest.Store, after int, broken bool, opts ...rxcql.Option) ([]int32, rxcql.Report) {
	var p *rxcql.Pipeline
	var rows []int32
	p, err := rxcql.New(in, sink.Each(func(_ context.Context, v int32) error {
		rows = append(rows, v)
		if len(rows) == after {
			if broken {
				return errBroken
			}
			p.Stop()
		}
		return nil
	}, sink.Idempotent(), sink.InFlight(1)), append(opts, rxcql.WithCheckpoint(store, "job"))...)
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	if !errors.Is(err, errBroken) {
		require.NoError(t, err)
	}
	return rows, rep
}

func TestAnEmptyPageInTheMiddleIsReadPastInAJobThatGoesOnThereToo(t *testing.T) {
	s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{}, {}, {1, 2}, {}, {}, {3}, {}, {4, 5}, {}}}
	stream := source.Query[int32](s.Start(t), scripted)
	var rows []int32
	rep, err := stream.ForEach(t.Context(), func(v int32) error { rows = append(rows, v); return nil })
	require.NoError(t, err)
	require.Equal(t, []int32{1, 2, 3, 4, 5}, rows)
	require.EqualValues(t, len(s.Pages), s.Asked.Load())
	require.EqualValues(t, len(s.Pages), rep.PagesSettled)
	require.EqualValues(t, 6, rep.EmptyPages)
	require.True(t, rep.Complete)

	for after := 1; after <= 5; after++ {
		store := &jobtest.Store{}
		first, rep := runUntil(t, stream, store, after, false)
		second, rest := runUntil(t, stream, store, 0, false)
		require.Equal(t, []int32{1, 2, 3, 4, 5}, append(first, second...))
		require.True(t, rest.Complete)
		require.Equal(t, rep.ReadRows, rest.ResumedRows)
	}
}

func TestAPageThatIsReadAgainIsAskedForByTheSameStateAndComesOnce(t *testing.T) {
	s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{1}, {2}, {}, {3}}}
	failed := map[int]int{}
	s.Fail = func(page int) message.Message {
		if failed[page]++; failed[page] <= 2 {
			return &message.Overloaded{ErrorMessage: "busy"}
		}
		return nil
	}
	rows, err := source.Query[int32](s.Start(t), scripted).Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int32{1, 2, 3}, rows)
	require.Equal(t, []int{100, 100, 100, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000}, s.Sizes(),
		"each page three times, of which two fail")
}

func TestTheSavedPageStateIsThatBehindThePagesThatAreSettled(t *testing.T) {
	s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{1, 2}, {3}, {}, {4, 5, 6}, {7}}}
	stream := source.Query[int32](s.Start(t), scripted)
	for after, want := range map[int]struct {
		state       string
		pages, rows int64
	}{
		1: {"", 0, 0}, 2: {"", 0, 0}, 3: {"page 1", 1, 2}, 4: {"page 3", 3, 3}, 6: {"page 3", 3, 3}, 7: {"page 4", 4, 6},
	} {
		t.Run(fmt.Sprint("broken at row ", after), func(t *testing.T) {
			store := &jobtest.Store{}
			runUntil(t, stream, store, after, true)
			state, err := store.State("job")
			require.NoError(t, err)
			parts := state.Sources[0].Parts
			if want.pages == 0 {
				require.Empty(t, parts)
			} else {
				require.Len(t, parts, 1)
				require.Equal(t, want.state, string(parts[0].State))
				require.Equal(t, want.pages, parts[0].Pages)
				require.Equal(t, want.rows, parts[0].Rows)
			}

			rest, rep := runUntil(t, stream, store, 0, false)
			require.Equal(t, []int32{1, 2, 3, 4, 5, 6, 7}[want.rows:], rest)
			require.Equal(t, want.rows, rep.ResumedRows)
			require.True(t, rep.Complete)
		})
	}
}
