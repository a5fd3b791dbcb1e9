package sink_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// leaf is a sink that has no others inside: which rows go into it, and which are there.
type leaf struct {
	name    string
	reaches func(spot) bool
	got     func(t *testing.T) map[spot]int
	counts  bool // how often a row has come
	exact   bool // each once, also in a job
}

// sink is a tree of sinks of any kind.
func (g *grove) sink(depth int) (rxcql.Sink[spot], []leaf) {
	if depth > 0 {
		switch g.rand.IntN(5) {
		case 0:
			one, ofOne := g.sink(depth - 1)
			two, ofTwo := g.sink(depth - 1)
			return sink.Tee(one, two), append(ofOne, ofTwo...)
		case 1:
			one, ofOne := g.sink(depth - 1)
			two, ofTwo := g.sink(depth - 1)
			pick := func(at spot) int { // 2 is no sink's
				if n := (at.Row*3 + at.Part) % 5; n < 3 {
					return n
				}
				return sink.Drop
			}
			return sink.Route(func(at spot) int { g.call(); return pick(at) }, one, two),
				append(those(ofOne, func(at spot) bool { return pick(at) == 0 }), those(ofTwo, func(at spot) bool { return pick(at) == 1 })...)
		case 2:
			inside, leaves := g.sink(depth - 1)
			var fails func(spot) bool
			through := sink.Through(func(s rxcql.Stream[spot]) rxcql.Stream[spot] {
				s, fails = g.grow(s, true)
				return s
			}, inside)
			return through, those(leaves, func(at spot) bool { return !fails(at) })
		}
	}
	to, l := g.leaf()
	return to, []leaf{l}
}

// those are leaves that get some of the rows alone.
func those(leaves []leaf, which func(spot) bool) (all []leaf) {
	for _, l := range leaves {
		reaches := l.reaches
		l.reaches = func(at spot) bool { return which(at) && reaches(at) }
		all = append(all, l)
	}
	return all
}

func (g *grove) leaf() (rxcql.Sink[spot], leaf) {
	name := g.name()
	l := leaf{name: name, reaches: func(spot) bool { return true }}
	switch g.rand.IntN(4) {
	case 0:
		path := filepath.Join(g.dir, name)
		l.got, l.counts, l.exact = func(t *testing.T) map[spot]int { return spotsIn(t, path) }, true, g.job
		g.files = true
		return sink.NDJSON[spot](path), l
	case 1:
		var mu sync.Mutex
		rows := map[spot]int{}
		l.got, l.counts = func(*testing.T) map[spot]int { return rows }, true
		opts := []sink.EachOption{sink.Idempotent()}
		if k := g.rand.IntN(4); k > 0 {
			opts = append(opts, sink.InFlight(k))
		}
		return sink.Each(func(_ context.Context, at spot) error {
			if err := g.fail(at); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			rows[at]++
			return nil
		}, opts...), l
	}
	table := "ks." + name
	g.server.Exec("CREATE TABLE " + table + " " + spots)
	l.got = func(t *testing.T) map[spot]int {
		rows, err := source.Table[spot](g.session, table).Collect(t.Context())
		require.NoError(t, err)
		there := map[spot]int{}
		for _, at := range rows {
			there[at]++
		}
		return there
	}
	if g.rand.IntN(2) == 0 {
		cql := fmt.Sprintf("INSERT INTO %s (part, row) VALUES (?, ?)", table)
		bind := func(at spot) ([]any, error) { return []any{at.Part, at.Row}, g.fail(at) }
		return sink.Exec(g.session, cql, bind, sink.Idempotent(), sink.InFlight(1+g.rand.IntN(9))), l
	}
	opts := []sink.TableOption{sink.InFlight(1 + g.rand.IntN(9)), sink.BatchRows(1 + g.rand.IntN(9))}
	if g.rand.IntN(3) == 0 {
		opts = append(opts, sink.BatchByReplicaSet(5, 4<<10))
		if g.rand.IntN(2) == 0 {
			opts = append(opts, sink.SortByToken())
		}
	}
	return sink.Table[spot](g.session, table, opts...), l
}
