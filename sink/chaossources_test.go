package sink_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

const spots = "(part int, row int, PRIMARY KEY (part, row))"

// source is a source of any kind, of rows that no other has.
func (g *grove) source() rxcql.Stream[spot] {
	g.sources++
	name, pageRows := g.name(), source.PageRows(1+g.rand.IntN(9))
	var parts [][]spot
	for part := range 1 + g.rand.IntN(3) {
		rows := []spot{}
		for row := range g.rand.IntN(40) {
			rows = append(rows, spot{10*g.made + part, row})
		}
		parts = append(parts, rows)
	}
	rows := slices.Concat(parts...)
	g.rows = append(g.rows, rows...)
	kinds := 5
	if !g.job {
		kinds = 7
	}
	switch g.rand.IntN(kinds) {
	case 0:
		return (&jobtest.Parts[spot]{Name: name, Rows: parts, PageRows: 1 + g.rand.IntN(9), Seed: g.rand.Uint64()}).Stream()
	case 1:
		g.fill(name, rows, func(spot) bool { return true })
		return source.Table[spot](g.session, "ks."+name, source.Splits(1+g.rand.IntN(6)), pageRows)
	case 2:
		left, right := name+"l", name+"r"
		g.fill(left, rows, func(at spot) bool { return (at.Part+at.Row)%3 > 0 })
		g.fill(right, rows, func(at spot) bool { return (at.Part+at.Row)%3 < 2 })
		pairs := source.TablePair[spot, spot](g.session, "ks."+left, g.session, "ks."+right, source.Splits(1+g.rand.IntN(6)), pageRows)
		return operators.Map(pairs, func(p rxcql.Pair[spot, spot]) (spot, error) {
			if p.HasLeft {
				return p.Left, nil
			}
			return p.Right, nil
		})
	case 3:
		return source.NDJSON[spot](g.file(name, rows), pageRows)
	case 4:
		return source.SeqFrom(name, func(from int64) iter.Seq2[spot, error] { return valuesOf(rows[from:]) }, pageRows)
	case 5:
		return source.Seq(valuesOf(rows), pageRows)
	}
	g.once = true
	pushed := make(chan spot, len(rows))
	for _, at := range rows {
		pushed <- at
	}
	close(pushed)
	opts := []source.ChanOption{pageRows}
	if policy := rxcql.Overflow(g.rand.IntN(5)); policy != rxcql.OverflowFail {
		opts = append(opts, source.Buffer(1+g.rand.IntN(20), policy))
		g.drops = g.drops || policy != rxcql.OverflowBlock
	}
	return source.Chan(pushed, opts...)
}

// fill makes a table of rows.
func (g *grove) fill(name string, rows []spot, there func(spot) bool) {
	g.server.Exec("CREATE TABLE ks." + name + " " + spots)
	for _, at := range rows {
		if there(at) {
			g.server.Exec(fmt.Sprintf("INSERT INTO ks.%s (part, row) VALUES (%d, %d)", name, at.Part, at.Row))
		}
	}
}

// file makes a file of rows.
func (g *grove) file(name string, rows []spot) (path string) {
	path = filepath.Join(g.dir, name+".ndjson")
	var lines []byte
	for _, at := range rows {
		line, err := json.Marshal(at)
		if err != nil {
			panic(err)
		}
		lines = append(append(lines, line...), '\n')
	}
	if err := os.WriteFile(path, lines, 0o600); err != nil {
		panic(err)
	}
	return path
}

func valuesOf(rows []spot) iter.Seq2[spot, error] {
	return func(yield func(spot, error) bool) {
		for _, at := range rows {
			if !yield(at, nil) {
				return
			}
		}
	}
}

// join makes one stream of several.
func (g *grove) join(all []rxcql.Stream[spot]) rxcql.Stream[spot] {
	switch kind := g.rand.IntN(5); {
	case kind == 0:
		return operators.Concat(all...)
	case kind == 1 && (!g.job || !g.files): // which holds rows
		return operators.MergeSorted(func(_, _ spot) int { return 0 }, all...)
	case kind == 2 && !g.job && len(all) == 2: // first all rows of the one, then all of the other
		joined := operators.MergeJoin(all[0], all[1], func(spot) int { g.call(); return 1 }, func(spot) int { g.call(); return 0 }, func(a, b int) int { return a - b })
		return operators.Map(joined, func(p rxcql.Pair[spot, spot]) (spot, error) {
			if p.HasLeft {
				return p.Left, nil
			}
			return p.Right, nil
		})
	case kind == 3 && !g.job && len(all) == 2:
		return g.zip(all[0], all[1])
	}
	return operators.Merge(all...)
}
