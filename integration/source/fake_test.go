package source_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// asSent is a value as it is sent, of whatever type the server wants.
type asSent []byte

func (r asSent) MarshalCQL(gocql.TypeInfo) ([]byte, error) { return r, nil }

// step is a statement of which the answers are compared.
type step struct {
	cql  string
	args []any
	size int   // of the pages of a SELECT; 0: no paging
	then int   // of the pages but the first, where they are of another size
	at   int64 // the timestamp of the request
	rows bool  // the answer is rows, though it is no SELECT
}

// answers are what a server says to a step: pages of cells, or an error.
func (s step) answers(t *testing.T, session *driver.Session) (said []string) {
	st := driver.Statement{CQL: s.cql, Args: s.args}
	if s.at != 0 {
		st.Timestamp = &s.at
	}
	var err error
	if !strings.HasPrefix(s.cql, "SELECT") && !s.rows {
		if err = session.Exec(t.Context(), st); err == nil {
			return []string{"done"}
		}
	}
	for state := []byte(nil); err == nil; {
		var page *driver.Page
		if s.size == 0 {
			page, err = session.FetchWhole(t.Context(), st)
		} else {
			size := s.size
			if state != nil && s.then > 0 {
				size = s.then
			}
			page, err = session.Fetch(t.Context(), st, size, state)
		}
		if err != nil {
			break
		}
		var b strings.Builder
		for _, c := range page.Columns() {
			fmt.Fprintf(&b, "%s %s, ", c.Name, c.Type)
		}
		cells := make([][]byte, len(page.Columns()))
		for page.Scan(cells) {
			for _, c := range cells {
				if c == nil {
					b.WriteString("null ")
					continue
				}
				fmt.Fprintf(&b, "%x ", c)
			}
			b.WriteString("; ")
		}
		require.NoError(t, page.Err())
		state = page.Next()
		fmt.Fprint(&b, "more: ", state != nil)
		if said = append(said, b.String()); state == nil {
			return said
		}
	}
	var refused gocql.RequestError
	if errors.As(err, &refused) {
		if refused.Code() == gocql.ErrCodeSyntax { // the words are those of a parser
			return append(said, "syntax error")
		}
		return append(said, fmt.Sprintf("error %#x: %s", refused.Code(), refused.Message()))
	}
	return append(said, err.Error())
}

func int32Bytes(v int32) asSent { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

func TestTheFakeAnswersAsCassandraDoes(t *testing.T) { compareSteps(t, scripts()) }

// keyspaceHere stands for the name of the keyspace in the text of a step.
const keyspaceHere = "{keyspace}"

// compareSteps has a real server and the fake one answer the steps of some scripts, in keyspaces of
// one name.
func compareSteps(t *testing.T, scripts map[string][]step) {
	t.Helper()
	actual, ks := cassandra.Keyspace(t, cluster)
	server := cqlfake.New(t)
	server.Keyspace(ks)
	servers := []*driver.Session{}
	for _, session := range []*gocql.Session{actual, server.Session(ks)} {
		wrapped, err := driver.Wrap(session)
		require.NoError(t, err)
		servers = append(servers, wrapped)
	}
	for name, steps := range scripts {
		t.Run(name, func(t *testing.T) {
			for _, s := range steps {
				s.cql = strings.ReplaceAll(s.cql, keyspaceHere, ks)
				compareAnswers(t, servers, s)
			}
		})
	}
}

func compareAnswers(t *testing.T, servers []*driver.Session, s step) {
	t.Helper()
	actual := s.answers(t, servers[0])
	assert.Equal(t, actual, s.answers(t, servers[1]), s.cql)
}

func scripts() map[string][]step {
	pages := []step{{cql: "CREATE TABLE pages (p int, c int, v text, PRIMARY KEY (p, c))"}}
	for i := range 20 {
		pages = append(pages, step{cql: "INSERT INTO pages (p, c, v) VALUES (?, ?, ?) USING TIMESTAMP 5", args: []any{i % 4, i, fmt.Sprint(i)}})
	}
	for _, size := range []int{0, 1, 3, 5, 19, 20, 21} {
		pages = append(pages, step{cql: "SELECT * FROM pages", size: size}, step{cql: "SELECT v, c FROM pages WHERE p = ?", args: []any{1}, size: size})
		for _, limit := range []int{1, 4, 5, 6, 20, 30} {
			pages = append(pages, step{cql: "SELECT c FROM pages LIMIT ?", args: []any{limit}, size: size},
				step{cql: "SELECT c FROM pages WHERE p = 2 LIMIT ?", args: []any{limit}, size: size})
		}
	}
	for _, then := range []int{4, 5, 6, 7, 8} { // a state is ignored where a page is as large as the LIMIT
		pages = append(pages, step{cql: "SELECT c FROM pages LIMIT 6", size: 2, then: then})
	}
	token := "SELECT token(p), c FROM pages WHERE token(p) > ? AND token(p) <= ?"
	least, most := int64(-1<<63), int64(1<<63-1)
	for _, r := range [][2]int64{{least, most}, {least, 0}, {0, most}, {least, least}, {0, least}, {0, 0}, {5, -5}, {-4069959284402364209, -4069959284402364208}} {
		pages = append(pages, step{cql: token, args: []any{r[0], r[1]}, size: 3})
	}
	pages = append(pages,
		step{cql: "SELECT v FROM pages WHERE p = 1 AND c = 5", size: 1},
		step{cql: "SELECT v FROM pages WHERE p = 1 AND c > 5 AND c <= ?", args: []any{13}, size: 2},
		step{cql: "SELECT v FROM pages WHERE p = 99", size: 2},
		step{cql: "SELECT v FROM pages WHERE p = 1 LIMIT 0", size: 2},
		step{cql: "SELECT v FROM pages WHERE p = 1 LIMIT ?", args: []any{-1}, size: 2},
		step{cql: "SELECT v AS w, writetime(v), ttl(v) FROM pages WHERE p = 1 AND c = 5"},
	)
	for c := range 10 {
		pages = append(pages, step{cql: "DELETE FROM pages USING TIMESTAMP ? WHERE p = ? AND c = ?", args: []any{int64(6), 1, c}})
	}
	pages = append(pages, step{cql: "SELECT c FROM pages WHERE p = 1", size: 1}, step{cql: "SELECT c FROM pages", size: 2})

	times := []step{{cql: "CREATE TABLE times (p int PRIMARY KEY, a int, b text) WITH default_time_to_live = 0"}}
	read := step{cql: "SELECT p, a, b, writetime(a), writetime(b) FROM times WHERE p = 1", size: 10}
	write := func(cql string, args ...any) { times = append(times, step{cql: cql, args: args, at: 50}, read) }
	for _, at := range []int64{10, 9, 11, 11, 12} {
		write("INSERT INTO times (p, a, b) VALUES (1, ?, ?) USING TIMESTAMP ?", 1000-at, fmt.Sprint(at), at)
		write("INSERT INTO times (p, a) VALUES (1, ?) USING TIMESTAMP ?", at, at)
	}
	write("UPDATE times USING TIMESTAMP 13 SET a = ?, b = null WHERE p = 1", nil)
	write("DELETE FROM times USING TIMESTAMP 12 WHERE p = 1")
	write("INSERT INTO times (p) VALUES (1) USING TIMESTAMP 12")
	write("INSERT INTO times (p, b) VALUES (1, 'b') USING TIMESTAMP 13")
	write("UPDATE times USING TIMESTAMP 13 SET a = 7 WHERE p = 1")
	write("UPDATE times USING TIMESTAMP 14 SET a = 7 WHERE p = 1")
	write("UPDATE times USING TIMESTAMP 14 AND TTL 100000 SET a = 3 WHERE p = 1")
	write("DELETE b FROM times USING TIMESTAMP 14 WHERE p = 1")
	write("DELETE a, b FROM times USING TIMESTAMP 14 WHERE p = 1")
	write("UPDATE times USING TIMESTAMP 15 SET a = ?, b = ? WHERE p = 1", gocql.UnsetValue, "kept")
	write("UPDATE times SET a = 1 WHERE p = 1")
	write("DELETE FROM times WHERE p = 1")
	write("BEGIN UNLOGGED BATCH INSERT INTO times (p, a) VALUES (1, ?) USING TIMESTAMP ?; DELETE b FROM times USING TIMESTAMP 70 WHERE p = ?; APPLY BATCH", 4, int64(60), 1)
	write("BEGIN BATCH UPDATE times USING TIMESTAMP 80 AND TTL 0 SET b = 'x' WHERE p = 1 APPLY BATCH")

	wrong := []step{
		{cql: "CREATE TABLE wrong (a int, b text, c int, v bigint, t timestamp, u uuid, PRIMARY KEY ((a, b), c)) WITH CLUSTERING ORDER BY (c DESC)"},
		{cql: "CREATE TABLE wrong (a int PRIMARY KEY)"},
		{cql: "CREATE TABLE nokey (a int)"},
		{cql: "CREATE TABLE twokeys (a int PRIMARY KEY, b int, PRIMARY KEY (b))"},
		{cql: "CREATE TABLE twice (a int PRIMARY KEY, a int)"},
		{cql: "CREATE TABLE IF NOT EXISTS wrong (a int PRIMARY KEY)"},
		{cql: "SELECT * FROM nowhere", size: 1},
		{cql: "SELECT * FROM nokeyspace.nowhere", size: 1},
		{cql: "SELECT x FROM wrong", size: 1},
		{cql: "SELECT writetime(c) FROM wrong", size: 1},
		{cql: "INSERT INTO wrong (a, b, c, x) VALUES (1, 'b', 3, 4)"},
		{cql: "INSERT INTO wrong (a, b, c, v) VALUES (1, 'b', 3)"},
		{cql: "INSERT INTO wrong (a, b, c, v) VALUES (1, 'b', 3, 4, 5)"},
		{cql: "INSERT INTO wrong (a, c) VALUES (1, 3)"},
		{cql: "INSERT INTO wrong (c) VALUES (1)"},
		{cql: "INSERT INTO wrong (a, b) VALUES (1, 'b')"},
		{cql: "INSERT INTO wrong (a, b, c, a) VALUES (1, 'b', 1, 1)"},
		{cql: "UPDATE wrong SET a = 2 WHERE a = 1 AND b = 'b' AND c = 3"},
		{cql: "UPDATE wrong SET v = 2 WHERE a = 1 AND b = 'b'"},
		{cql: "UPDATE wrong SET v = 2 WHERE a = 1 AND c = 3"},
		{cql: "UPDATE wrong SET v = 2 WHERE a = 1 AND b = 'b' AND c = 3 AND u = null"},
		{cql: "DELETE c FROM wrong WHERE a = 1 AND b = 'b' AND c = 3"},
		{cql: "DELETE v FROM wrong WHERE a = 1 AND b = 'b'"},
		{cql: "DELETE FROM wrong WHERE a = 1"},
		{cql: "INSERT INTO wrong (a, b, c, v) VALUES (1, 2, 3, 4)"},
		{cql: "INSERT INTO wrong (a, b, c, v) VALUES (1, 'b', 3, 'x')"},
		{cql: "INSERT INTO wrong (a, b, c, v) VALUES (1, 'b', 3, true)"},
		{cql: "INSERT INTO wrong (a, b, c, u) VALUES (1, 'b', 3, 0x00)"},
		{cql: "INSERT INTO wrong (a, b, c, u) VALUES (1, 'b', 3, 4)"},
		{cql: "DROP TABLE nowhere"},
		{cql: "DROP TABLE IF EXISTS nowhere"},
		{cql: "SELECT v FROM wrong WHERE a = 1 AND b = 'b' AND c = 3 LIMIT null", size: 1},
	}
	insert := "INSERT INTO wrong (a, b, c, v, t, u) VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?"
	good := []any{int32Bytes(1), asSent("b"), int32Bytes(3), asSent("12345678"), asSent("12345678"), asSent("1234567890123456"), int64(5), int32Bytes(1000)}
	for i, bad := range []struct {
		at    int
		value any
	}{
		{0, asSent("123")}, {0, nil}, {0, gocql.UnsetValue}, {0, asSent{}}, {1, asSent("\xff")}, {1, asSent{}}, {2, nil}, {2, gocql.UnsetValue}, {2, asSent("12345")},
		{3, asSent("1234567")}, {3, asSent{}}, {3, nil}, {3, gocql.UnsetValue}, {4, asSent("1")}, {5, asSent("1234")}, {5, asSent{}},
		{6, nil}, {6, asSent("1")}, {6, gocql.UnsetValue}, {7, nil}, {7, int32Bytes(-1)}, {7, int32Bytes(630720001)}, {7, asSent("12")}, {7, gocql.UnsetValue},
	} {
		args := append([]any{}, good...)
		args[2] = int32Bytes(int32(100 + i))
		args[bad.at] = bad.value
		wrong = append(wrong, step{cql: insert, args: args, at: 5})
	}
	wrong = append(wrong,
		step{cql: "SELECT a, b, c, v, t, u, writetime(v) FROM wrong", size: 100},
		step{cql: "SELECT v FROM wrong WHERE a = ? AND b = 'b' AND c = 1", args: []any{nil}, size: 100},
		step{cql: "SELECT v FROM wrong WHERE a = ? AND b = 'b' AND c = 1", args: []any{gocql.UnsetValue}, size: 100},
		step{cql: "SELECT v FROM wrong WHERE a = ? AND b = 'b' AND c = 1", args: []any{asSent("1")}, size: 100},
		step{cql: "SELECT v FROM wrong WHERE a = 1 AND b = 'b' AND c = ?", args: []any{nil}, size: 100},
		step{cql: "SELECT v FROM wrong WHERE a = 1 AND b = 'b' AND c > ?", args: []any{gocql.UnsetValue}, size: 100},
		step{cql: "SELECT v FROM wrong WHERE a = 1 AND b = 'b' AND c > ?", args: []any{asSent("1")}, size: 100},
	)
	words := []step{{cql: "CREATE TABLE words (k int PRIMARY KEY, u timeuuid, t timestamp, d date)"}}
	for _, word := range strings.Fields(`add aggregate all allow alter and apply as asc authorize batch begin by called cast clustering
		columnfamily compact contains count counter create custom date default delete desc describe distinct drop duration entries
		execute exists filtering finalfunc from frozen full function functions grant group if in index inet infinity initcond insert
		int into is json key keys keyspace keyspaces language like limit list login map masked materialized mbean mbeans modify nan
		nologin norecursive nosuperuser not null of on options or order partition password per permission permissions primary rename
		replace returns revoke role roles schema select set sfunc static storage stype superuser table text time timestamp timeuuid
		to token trigger truncate ttl tuple type unlogged unset update use user users using uuid values varchar view where with writetime`) {
		words = append(words, step{cql: "SELECT k AS " + word + " FROM words", size: 1})
	}
	for _, u := range []asSent{asSent("1234567890123456"), asSent("123456\x00\x00\x80123456x"), asSent("\xc23456\x00\x40\x00\x80123456x"), asSent("123456\x10\x00\x80123456x"), asSent("1234"), {}} {
		words = append(words, step{cql: "INSERT INTO words (k, u) VALUES (1, ?)", args: []any{u}, at: 3}, step{cql: "SELECT u FROM words", size: 5})
	}
	for _, when := range []string{"2020-01-02", "2020-01-02T03:04:05Z", "2020-01-02 03:04:05.678+0100", "2020-01-02T03:04:05.678901Z"} {
		words = append(words, step{cql: "INSERT INTO words (k, t) VALUES (2, '" + when + "')", at: 4}, step{cql: "SELECT t FROM words WHERE k = 2", size: 5})
	}
	words = append(words, step{cql: "INSERT INTO words (k, d) VALUES (3, '2020-01-02')", at: 4}, step{cql: "SELECT d FROM words WHERE k = 3", size: 5})
	ordered := []step{}
	for i, typ := range []string{
		"tinyint", "smallint", "int", "bigint", "text", "ascii", "blob", "boolean", "date", "time", "timestamp", "uuid", "timeuuid", "double", "float", "inet",
	} {
		table := fmt.Sprint("ordered", i)
		ordered = append(ordered, step{cql: "CREATE TABLE " + table + " (p int, c " + typ + ", d " + typ + ", s frozen<set<" + typ + ">>, m frozen<map<" + typ +
			", frozen<list<int>>>>, PRIMARY KEY (p, c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC)"})
		values := orderedValues[typ]
		for j, c := range values {
			d := values[(j*3+1)%len(values)]
			var set, entries []byte
			for _, v := range []asSent{d, c, values[0], c} {
				set = append(binary.BigEndian.AppendUint32(set, uint32(len(v))), v...)
				entries = append(binary.BigEndian.AppendUint32(entries, uint32(len(v))), v...)
				entries = append(entries, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, byte(len(entries)))
			}
			ordered = append(ordered, step{cql: "INSERT INTO " + table + " (p, c, d, s, m) VALUES (1, ?, ?, ?, ?)",
				args: []any{c, d, asSent(append([]byte{0, 0, 0, 4}, set...)), asSent(append([]byte{0, 0, 0, 4}, entries...))}, at: 7})
		}
		ordered = append(ordered, step{cql: "SELECT * FROM " + table, size: 3},
			step{cql: "SELECT d FROM " + table + " WHERE p = 1 AND c >= ?", args: []any{values[2]}, size: 3},
			step{cql: "SELECT d FROM " + table + " WHERE p = 1 AND c = ? AND d > ?", args: []any{values[1], values[0]}, size: 3},
			step{cql: "SELECT c, d FROM " + table + " WHERE p = 1 AND c >= ? AND c < ? ORDER BY c ASC", args: []any{values[0], values[2]}, size: 2},
			step{cql: "SELECT d FROM " + table + " WHERE p = ? ORDER BY c DESC", args: []any{1}, size: 3})
	}
	return map[string][]step{"ordered": ordered, "pages": pages, "times": times, "words": words, "wrong": wrong}
}
