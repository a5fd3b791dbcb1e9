package source_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/ringtest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// buried is a row, or a row that was deleted.
type buried struct {
	K []byte `cql:"k"`
	C int    `cql:"c"`
	D string `cql:"d"`
	V int    `cql:"v"`
}

// graveyard is a table in which reading stops at tombstones: a request for a slice with more of
// them than the limit fails.
type graveyard struct {
	server  *cqlfake.Server
	session *gocql.Session
	random  *rand.Rand
	rows    map[int]buried
	statics map[string]bool // partitions with a static column and no rows, by key
	graves  []buried
	limit   int

	late bool // a slice fails behind its first page, when rows of it have come
	slow bool // it times out
	cuts int  // requests that failed
}

// newGraveyard makes random partitions with random rows and tombstones, in either order.
func newGraveyard(t *testing.T, seed uint64) *graveyard {
	random := rand.New(rand.NewPCG(seed, 11))
	g := &graveyard{
		server: cqlfake.New(t), random: random, rows: map[int]buried{}, statics: map[string]bool{}, limit: 1 + random.IntN(3),
		late: random.IntN(2) == 0, slow: random.IntN(3) == 0,
	}
	orders := []string{"ASC", "DESC"}
	g.server.Keyspace("ks", fmt.Sprintf("t (k blob, c int, d text, s int STATIC, v int, PRIMARY KEY (k, c, d)) WITH CLUSTERING ORDER BY (c %s, d %s)",
		orders[random.IntN(2)], orders[random.IntN(2)]))
	g.session = g.server.Session("ks")
	for p := range 1 + random.IntN(8) {
		k := ringtest.KeyOf(random.Int64()-random.Int64(), uint64(p))
		if random.IntN(4) == 0 {
			g.server.Exec(fmt.Sprintf("UPDATE ks.t SET s = 1 WHERE k = 0x%x", k))
			g.statics[string(k)] = true
		}
		for range random.IntN(12) {
			g.bury(k)
		}
		for range random.IntN(12) {
			g.add(k)
		}
	}
	g.server.Control(g.answer)
	return g
}

func (g *graveyard) place(k []byte) buried {
	return buried{K: k, C: g.random.IntN(7) - 3, D: strings.Repeat(string(rune('a'+g.random.IntN(3))), g.random.IntN(4))}
}

// bury adds a tombstone, where no other is: a single one is never too many.
func (g *graveyard) bury(k []byte) {
	grave := g.place(k)
	if !slices.ContainsFunc(g.graves, grave.isAt) {
		g.graves = append(g.graves, grave)
	}
}

func (b buried) isAt(other buried) bool {
	return string(b.K) == string(other.K) && b.C == other.C && b.D == other.D
}

// add adds a row, where no other is.
func (g *graveyard) add(k []byte) {
	row := g.place(k)
	for _, other := range g.rows {
		if row.isAt(other) {
			return
		}
	}
	row.V = len(g.rows)
	g.rows[row.V] = row
	delete(g.statics, string(k))
	g.server.Exec(fmt.Sprintf("INSERT INTO ks.t (k, c, d, v) VALUES (0x%x, %d, '%s', %d)", row.K, row.C, row.D, row.V))
}

// answer fails requests for too many tombstones.
func (g *graveyard) answer(r *cqlfake.Request) *cqlfake.Reply {
	if !r.Reads("ks.t") || strings.Contains(r.Statements[0].CQL, "PER PARTITION") || g.late && r.PageState == nil && r.PageSize > 0 && g.beginsWithRow(r) {
		return nil
	}
	met := 0
	for _, grave := range g.graves {
		if inSlice(r.Statements[0], grave) {
			met++
		}
	}
	switch {
	case met <= g.limit:
		return nil
	case g.slow:
		g.cuts++
		return cqlfake.Fail(&message.ReadTimeout{ErrorMessage: "late", Consistency: primitive.ConsistencyLevelQuorum})
	}
	g.cuts++
	return cqlfake.Fail(&message.ReadFailure{
		ErrorMessage: "Operation failed - received 0 responses and 1 failures: READ_TOO_MANY_TOMBSTONES from /127.0.0.1:7000",
		Consistency:  primitive.ConsistencyLevelQuorum, NumFailures: 1,
	})
}

// beginsWithRow reports whether a slice has a row, so that the first page is one. A partition
// without rows that cannot be read never comes on that page.
func (g *graveyard) beginsWithRow(r *cqlfake.Request) bool {
	for k := range g.hopeless() {
		if inTokens(r.Statements[0], []byte(k)) {
			return false
		}
	}
	for _, row := range g.rows {
		if inSlice(r.Statements[0], row) {
			return true
		}
	}
	return false
}

func inTokens(s cqlfake.Statement, k []byte) bool {
	token := ring.Token(k)
	bound := func(i int) int64 { return int64(binary.BigEndian.Uint64(s.Values[i].Bytes)) }
	return token > bound(0) && token <= bound(1)
}

// inSlice reports whether a row is in what a statement asks for.
func inSlice(s cqlfake.Statement, row buried) bool {
	if !inTokens(s, row.K) {
		return false
	}
	_, conditions, _ := strings.Cut(s.CQL, "<= ? AND ")
	conditions = strings.TrimSuffix(conditions, " ALLOW FILTERING")
	for i, condition := range strings.Split(conditions, " AND ") {
		words := strings.Fields(condition)
		if len(words) == 0 {
			continue
		}
		order := strings.Compare(row.D, string(s.Values[2+i].Bytes))
		if words[0] == `"c"` {
			order = row.C - int(int32(binary.BigEndian.Uint32(s.Values[2+i].Bytes)))
		}
		holds := map[string]bool{"=": order == 0, "<": order < 0, "<=": order <= 0, ">": order > 0}[words[1]]
		if !holds {
			return false
		}
	}
	return true
}

// hopeless are the partitions without rows that have too many tombstones, with whether they have a
// static column: nobody can tell.
func (g *graveyard) hopeless() map[string]bool {
	met := map[string]int{}
	for _, grave := range g.graves {
		met[string(grave.K)]++
	}
	for _, row := range g.rows {
		delete(met, string(row.K))
	}
	all := map[string]bool{}
	for k, n := range met {
		if n > g.limit {
			all[k] = g.statics[k]
		}
	}
	return all
}

// lostStatics are how many of them have one.
func (g *graveyard) lostStatics() (n int) {
	for _, has := range g.hopeless() {
		if has {
			n++
		}
	}
	return n
}
