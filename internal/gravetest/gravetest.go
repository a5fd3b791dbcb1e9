// Package gravetest makes tables, on a server of cqlfake, in which reading stops at tombstones or
// times out.
package gravetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/ringtest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// Row is a row, or a row that was deleted.
type Row struct {
	K []byte `cql:"k"`
	C int    `cql:"c"`
	D string `cql:"d"`
	V int    `cql:"v"`
}

func (r Row) isAt(other Row) bool {
	return string(r.K) == string(other.K) && r.C == other.C && r.D == other.D
}

// Table is ks.t of a server of its own. A request for a slice with more tombstones than Limit
// fails.
type Table struct {
	Server  *cqlfake.Server
	Session *gocql.Session
	Random  *rand.Rand
	Rows    map[int]Row     // by v
	Static  map[string]bool // partitions with a static column, by key
	Limit   int

	Late bool          // a slice fails behind its first page, when rows of it have come
	Slow bool          // it times out
	Each time.Duration // an answer takes so long, on the clock of synctest; set it before reading
	Cuts atomic.Int64  // requests that failed for too many tombstones

	graves atomic.Pointer[[]Row]
	left   atomic.Int64 // requests that may still come, and one more; 0 has no limit
}

// New makes random partitions with random rows and tombstones, in either order.
func New(t *testing.T, seed uint64, opts ...cqlfake.Option) *Table {
	random := rand.New(rand.NewPCG(seed, 11))
	g := empty(t, random, Orders(random), opts...)
	for p := range 1 + random.IntN(8) {
		k := ringtest.KeyOf(random.Int64()-random.Int64(), uint64(p))
		if random.IntN(4) == 0 {
			g.SetStatic(k)
		}
		for range random.IntN(12) {
			g.Bury(k)
		}
		for range random.IntN(12) {
			g.Add(k)
		}
	}
	return g
}

// Orders are clustering orders for c and d.
func Orders(random *rand.Rand) [2]string {
	either := []string{"ASC", "DESC"}
	return [2]string{either[random.IntN(2)], either[random.IntN(2)]}
}

func empty(t *testing.T, random *rand.Rand, orders [2]string, opts ...cqlfake.Option) *Table {
	g := &Table{
		Server: cqlfake.New(t, opts...), Random: random, Rows: map[int]Row{}, Static: map[string]bool{}, Limit: 1 + random.IntN(3),
		Late: random.IntN(2) == 0, Slow: random.IntN(3) == 0,
	}
	g.graves.Store(&[]Row{})
	g.Server.Keyspace("ks", fmt.Sprintf("t (k blob, c int, d text, s int STATIC, v int, PRIMARY KEY (k, c, d)) WITH CLUSTERING ORDER BY (c %s, d %s)", orders[0], orders[1]))
	g.Session = g.Server.Session("ks")
	g.Server.Control(g.answer)
	return g
}

func (g *Table) place(k []byte) Row {
	return Row{K: k, C: g.Random.IntN(7) - 3, D: strings.Repeat(string(rune('a'+g.Random.IntN(3))), g.Random.IntN(4))}
}

// SetStatic gives a partition a static column.
func (g *Table) SetStatic(k []byte) {
	g.Server.Exec(fmt.Sprintf("UPDATE ks.t SET s = 1 WHERE k = 0x%x", k))
	g.Static[string(k)] = true
}

// Bury adds a tombstone, where no other is: a single one is never too many.
func (g *Table) Bury(k []byte) {
	grave := g.place(k)
	if !slices.ContainsFunc(g.Graves(), grave.isAt) {
		g.dig(grave)
	}
}

// BuryAt adds too many tombstones in the place of one row, which cannot be read then.
func (g *Table) BuryAt(row Row) {
	for range g.Limit + 1 {
		g.dig(row)
	}
}

func (g *Table) dig(grave Row) { g.Clear(append(slices.Clone(g.Graves()), grave)...) }

// Graves are the tombstones.
func (g *Table) Graves() []Row { return *g.graves.Load() }

// Clear removes all tombstones but these, as a compaction does.
func (g *Table) Clear(but ...Row) { g.graves.Store(&but) }

// Add adds a row, where no other is.
func (g *Table) Add(k []byte) { g.Put(g.place(k), len(g.Rows)) }

// Put adds a row with a value, where no other is.
func (g *Table) Put(row Row, v int) {
	for _, other := range g.Rows {
		if row.isAt(other) {
			return
		}
	}
	row.V = v
	g.Rows[v] = row
	g.Server.Exec(fmt.Sprintf("INSERT INTO ks.t (k, c, d, v) VALUES (0x%x, %d, '%s', %d)", row.K, row.C, row.D, row.V))
}

// FailAfter lets so many more requests for rows come. Each one after them fails, until the next
// call.
func (g *Table) FailAfter(requests int) { g.left.Store(int64(requests) + 1) }

// answer fails requests for too many tombstones. Reading a row by its key never meets any.
func (g *Table) answer(r *cqlfake.Request) *cqlfake.Reply {
	if left := g.left.Load(); left > 0 && r.Reads("ks.t") {
		if left == 1 {
			return cqlfake.Fail(&message.ServerError{ErrorMessage: "fails"})
		}
		g.left.Add(-1)
	}
	if !r.Reads("ks.t") || !strings.Contains(r.Statements[0].CQL, "token(") || strings.Contains(r.Statements[0].CQL, "PER PARTITION") {
		return nil
	}
	if g.Late && r.PageState == nil && r.PageSize > 0 && g.beginsWithRow(r) {
		return nil
	}
	met := 0
	for _, grave := range g.Graves() {
		if inSlice(r.Statements[0], grave) {
			met++
		}
	}
	if met <= g.Limit {
		return cqlfake.Tables().After(g.Each)
	}
	g.Cuts.Add(1)
	if g.Slow {
		return cqlfake.Fail(&message.ReadTimeout{ErrorMessage: "late", Consistency: primitive.ConsistencyLevelQuorum})
	}
	return cqlfake.Fail(&message.ReadFailure{
		ErrorMessage: "Operation failed - received 0 responses and 1 failures: READ_TOO_MANY_TOMBSTONES from /127.0.0.1:7000",
		Consistency:  primitive.ConsistencyLevelQuorum, NumFailures: 1,
	})
}

// beginsWithRow reports whether a slice has a row, so that the first page is one. What cannot be
// read never comes on that page.
func (g *Table) beginsWithRow(r *cqlfake.Request) bool {
	for k := range g.Hopeless() {
		if inTokens(r.Statements[0], []byte(k)) {
			return false
		}
	}
	for _, grave := range g.Graves() {
		if g.Unreadable(grave) && inSlice(r.Statements[0], grave) {
			return false
		}
	}
	for _, row := range g.Rows {
		if inSlice(r.Statements[0], row) {
			return true
		}
	}
	return false
}

// Unreadable reports whether the place of a row has too many tombstones.
func (g *Table) Unreadable(row Row) bool {
	met := 0
	for _, grave := range g.Graves() {
		if row.isAt(grave) {
			met++
		}
	}
	return met > g.Limit
}

// Hopeless are the partitions without rows that could be read, and with too many tombstones, with
// whether they have a static column: nobody can tell.
func (g *Table) Hopeless() map[string]bool {
	met := map[string]int{}
	for _, grave := range g.Graves() {
		met[string(grave.K)]++
	}
	for _, row := range g.Rows {
		if !g.Unreadable(row) {
			delete(met, string(row.K))
		}
	}
	all := map[string]bool{}
	for k, n := range met {
		if n > g.Limit {
			all[k] = g.Static[k]
		}
	}
	return all
}

// StaticOnly are the partitions with a static column and no rows, by key.
func (g *Table) StaticOnly() map[string]bool {
	all := map[string]bool{}
	for k := range g.Static {
		all[k] = true
	}
	for _, row := range g.Rows {
		delete(all, string(row.K))
	}
	return all
}
