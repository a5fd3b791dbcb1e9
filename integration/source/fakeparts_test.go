package source_test

import (
	"encoding/binary"
	"testing"

	"github.com/gocql/gocql"
)

func TestTheFakeKnowsStaticColumnsCountersCollectionsAndTypesAsCassandraDoes(t *testing.T) {
	compareSteps(t, map[string][]step{
		"static": staticSteps(), "static in pages": staticPageSteps(), "counters": counterSteps(), "types": typeSteps(),
		"parts": partSteps(), "whole values": wholeSteps(),
	})
}

// schemaOf is what a server says of the columns of a table.
func schemaOf(table string) step {
	return step{cql: "SELECT column_name, clustering_order, kind, position, type FROM system_schema.columns WHERE keyspace_name = '" +
		keyspaceHere + "' AND table_name = '" + table + "'"}
}

func staticSteps() []step {
	steps := []step{
		{cql: "CREATE TABLE statics0 (p int PRIMARY KEY, s int STATIC)"},
		{cql: "CREATE TABLE statics1 (p int, c int STATIC, v int, PRIMARY KEY (p, c))"},
		{cql: "CREATE TABLE statics (p int, c int, v int, s int STATIC, a text STATIC, PRIMARY KEY (p, c))"},
		schemaOf("statics"),
	}
	add := func(cql string, args ...any) {
		steps = append(steps, step{cql: cql, args: args, at: 50}, step{cql: "SELECT * FROM statics", size: 100},
			step{cql: "SELECT p, c, v, s, writetime(s) FROM statics WHERE p = 1", size: 100})
	}
	add("INSERT INTO statics (p, s) VALUES (?, ?)", 1, 10)
	add("INSERT INTO statics (p, c, s) VALUES (2, 1, 20)")
	add("INSERT INTO statics (p) VALUES (1)")
	add("INSERT INTO statics (p, s, v) VALUES (1, 2, 3)")
	add("UPDATE statics SET s = 3 WHERE p = 1 AND c = 1")
	add("UPDATE statics SET s = 3, v = 4 WHERE p = 1")
	add("UPDATE statics SET v = 4 WHERE p = 1")
	add("UPDATE statics SET s = 3, v = 4 WHERE p = 1 AND c = 7")
	add("DELETE s FROM statics WHERE p = 1 AND c = 1")
	add("DELETE s, v FROM statics WHERE p = 1")
	add("UPDATE statics USING TIMESTAMP 60 SET s = ?, a = 'x' WHERE p = 1", gocql.UnsetValue)
	add("UPDATE statics USING TIMESTAMP 61 SET s = ? WHERE p = 1", nil)
	add("UPDATE statics USING TIMESTAMP 62 AND TTL 100000 SET s = 5 WHERE p = 3")
	add("DELETE FROM statics USING TIMESTAMP 63 WHERE p = 1 AND c = 7")
	add("DELETE a FROM statics USING TIMESTAMP 63 WHERE p = 1")
	add("INSERT INTO statics (p, c, v, s, a) VALUES (1, 2, 3, 4, 'five') USING TIMESTAMP 64")
	add("DELETE FROM statics USING TIMESTAMP 65 WHERE p = 1")
	add("BEGIN BATCH INSERT INTO statics (p, c, v) VALUES (4, 1, 1); UPDATE statics SET s = 9 WHERE p = 4; APPLY BATCH")
	return append(steps,
		step{cql: "SELECT s FROM statics WHERE p = 4 AND c = 1", size: 5},
		step{cql: "SELECT token(p), s FROM statics WHERE p = 4 AND c > 0", size: 5},
		step{cql: "SELECT p FROM statics WHERE p = 4 AND c = 1", size: 5},
		step{cql: "SELECT c, s FROM statics WHERE p = 4 AND c = 1", size: 5},
		step{cql: "SELECT c, s FROM statics WHERE p = 3 AND c > 0", size: 5},
		step{cql: "SELECT c FROM statics WHERE p = 3 ORDER BY c DESC", size: 5},
		step{cql: "ALTER TABLE statics ADD z int STATIC"}, step{cql: "SELECT * FROM statics", size: 5}, schemaOf("statics"),
		step{cql: "CREATE TABLE plain (p int PRIMARY KEY)"}, step{cql: "ALTER TABLE plain ADD z int STATIC"},
	)
}

// staticPageSteps are of partitions of none to three rows, with static columns and without.
func staticPageSteps() []step {
	steps := []step{{cql: "CREATE TABLE staticpages (p int, c int, v int, s int STATIC, PRIMARY KEY (p, c))"}}
	for p := range 16 {
		if p%2 == 0 {
			steps = append(steps, step{cql: "UPDATE staticpages SET s = ? WHERE p = ?", args: []any{100 + p, p}, at: 5})
		}
		for c := range p % 4 {
			steps = append(steps, step{cql: "INSERT INTO staticpages (p, c, v) VALUES (?, ?, ?)", args: []any{p, c, c}, at: 5})
		}
	}
	steps = append(steps, step{cql: "DELETE FROM staticpages WHERE p = 2 AND c = 1", at: 6}, step{cql: "DELETE FROM staticpages WHERE p = 2 AND c = 0", at: 6})
	for _, size := range []int{0, 1, 2, 3, 100} {
		for _, cql := range []string{
			"SELECT * FROM staticpages", "SELECT c FROM staticpages", "SELECT s FROM staticpages", "SELECT * FROM staticpages LIMIT 5",
			"SELECT * FROM staticpages WHERE token(p) > 0", "SELECT * FROM staticpages WHERE p = 4", "SELECT * FROM staticpages WHERE p = 6",
			"SELECT * FROM staticpages WHERE p = 6 ORDER BY c DESC", "SELECT * FROM staticpages WHERE p = 6 AND c >= 1",
			"SELECT * FROM staticpages WHERE p = 4 AND c >= 1", "SELECT * FROM staticpages WHERE p IN (4, 6, 8)",
		} {
			steps = append(steps, step{cql: cql, size: size})
		}
	}
	return steps
}

func counterSteps() []step {
	steps := []step{
		{cql: "CREATE TABLE mixed (p int PRIMARY KEY, c counter, v int)"},
		{cql: "CREATE TABLE keyed (p counter PRIMARY KEY, c int)"},
		{cql: "CREATE TABLE expiring (p int PRIMARY KEY, c counter) WITH default_time_to_live = 5"},
		{cql: "CREATE TABLE listed (p int PRIMARY KEY, c list<counter>)"},
		{cql: "CREATE TABLE counters (p int, q int, c counter, d counter, s counter STATIC, PRIMARY KEY (p, q))"},
		schemaOf("counters"),
		{cql: "SELECT flags FROM system_schema.tables WHERE keyspace_name = '" + keyspaceHere + "' AND table_name = 'counters'"},
		{cql: "CREATE TABLE others (p int PRIMARY KEY, v int)"},
	}
	add := func(cql string, args ...any) {
		steps = append(steps, step{cql: cql, args: args}, step{cql: "SELECT * FROM counters", size: 100})
	}
	add("INSERT INTO counters (p, q, c) VALUES (1, 1, 1)")
	add("UPDATE counters SET c = 5 WHERE p = 1 AND q = 1")
	add("UPDATE counters SET c = c + 5 WHERE p = 1 AND q = 1")
	add("UPDATE counters SET c = c -2 WHERE p = 1 AND q = 1")
	add("UPDATE counters SET c=c-2 WHERE p = 1 AND q = 1")
	add("UPDATE counters SET c += 1, d -= 3 WHERE p = 1 AND q = 1")
	add("UPDATE counters SET c = c + ?, d = d - ? WHERE p = ? AND q = ?", int64(7), int64(-9), 1, 1)
	add("UPDATE counters SET c = c + ? WHERE p = 1 AND q = 1", nil)
	add("UPDATE counters SET c = c + null WHERE p = 1 AND q = 1")
	add("UPDATE counters SET c = c + ? WHERE p = 1 AND q = 1", gocql.UnsetValue)
	add("UPDATE counters SET c = c + ? WHERE p = 1 AND q = 1", asSent("123"))
	add("UPDATE counters SET c = c + ? WHERE p = 1 AND q = 2", int64(1<<62))
	add("UPDATE counters SET c = c + ? WHERE p = 1 AND q = 2", int64(1<<62))
	add("UPDATE counters SET s = s + 1 WHERE p = 2")
	add("UPDATE counters SET s = s + 1, c = c + 1 WHERE p = 2 AND q = 1")
	add("UPDATE counters USING TIMESTAMP 5 SET c = c + 1 WHERE p = 1 AND q = 1")
	add("UPDATE counters USING TTL 5 SET c = c + 1 WHERE p = 1 AND q = 1")
	add("UPDATE counters SET c = c + 1 WHERE p = 1 AND q = 1 IF EXISTS")
	add("DELETE FROM counters USING TIMESTAMP 5 WHERE p = 1 AND q = 1")
	add("BEGIN BATCH UPDATE counters SET c = c + 1 WHERE p = 1 AND q = 3; APPLY BATCH")
	add("BEGIN UNLOGGED BATCH UPDATE counters SET c = c + 1 WHERE p = 1 AND q = 3; UPDATE counters SET c = c + 1 WHERE p = 1 AND q = 3; APPLY BATCH")
	add("BEGIN COUNTER BATCH UPDATE counters SET c = c + ? WHERE p = 1 AND q = 3; UPDATE counters SET d = d - ? WHERE p = 1 AND q = 4; APPLY BATCH",
		int64(10), int64(4))
	add("BEGIN COUNTER BATCH INSERT INTO others (p, v) VALUES (1, 10); APPLY BATCH")
	add("BEGIN UNLOGGED BATCH INSERT INTO others (p, v) VALUES (1, 10); UPDATE counters SET c = c + 1 WHERE p = 1 AND q = 3; APPLY BATCH")
	add("DELETE d FROM counters WHERE p = 1 AND q = 1")
	add("DELETE FROM counters WHERE p = 1 AND q = 2")
	add("DELETE FROM counters WHERE p = 1")
	return steps
}

func typeSteps() []step {
	return []step{
		{cql: "CREATE TYPE home (street text, zip int, tags set<text>)"}, {cql: "CREATE TYPE home (street text)"},
		{cql: "CREATE TYPE IF NOT EXISTS home (street text)"}, {cql: "CREATE TYPE nested (street text, at home)"},
		{cql: "CREATE TYPE nokeyspace.x (a int)"}, {cql: "CREATE TYPE twice (street text, street text)"},
		{cql: "CREATE TYPE counting (c counter)"}, {cql: "CREATE TYPE nothing (x frozen<nope>)"}, {cql: `CREATE TYPE "Odd" (a int, b frozen<home>)`},
		{cql: "SELECT * FROM system_schema.types WHERE keyspace_name = '" + keyspaceHere + "'"},
		{cql: "CREATE TABLE of1 (p int PRIMARY KEY, v home)"}, {cql: "CREATE TABLE of2 (p int PRIMARY KEY, v list<home>)"},
		{cql: "CREATE TABLE of3 (p home PRIMARY KEY)"}, {cql: "CREATE TABLE of4 (p int PRIMARY KEY, v nope)"},
		{cql: "CREATE TABLE of5 (p list<int> PRIMARY KEY)"}, {cql: "CREATE TABLE of6 (p int PRIMARY KEY, v list<list<int>>)"},
		{cql: "CREATE TABLE of7 (p int PRIMARY KEY, v map<int, set<int>>)"},
		{cql: `CREATE TABLE types (p int PRIMARY KEY, f frozen<home>, o "Odd", l list<frozen<home>>, m map<text, frozen<list<list<int>>>>,
			t tuple<int, list<int>>, u list<tuple<int, int>>, s set<int>)`},
		schemaOf("types"),
		{cql: "ALTER TABLE types ADD (x frozen<home>, y list<int>)"}, schemaOf("types"), {cql: "SELECT * FROM types", size: 10},
		{cql: "DROP TYPE nope"}, {cql: "DROP TYPE IF EXISTS nope"}, {cql: "CREATE TYPE brief (a int)"}, {cql: "DROP TYPE brief"},
		{cql: "CREATE TABLE of8 (p int PRIMARY KEY, v brief)"},
	}
}

// partSteps are of values that are not frozen.
func partSteps() []step {
	steps := []step{
		{cql: "CREATE TYPE part (street text, zip int, tags frozen<set<text>>)"},
		{cql: "CREATE TABLE parts (p int PRIMARY KEY, l list<int>, s set<text>, m map<text, int>, u part)"},
	}
	add := func(at int64, cql string, args ...any) {
		steps = append(steps, step{cql: cql, args: args, at: at}, step{cql: "SELECT * FROM parts", size: 100})
	}
	add(5, "INSERT INTO parts (p, l, s, m, u) VALUES (1, [3, 1], {'b', 'a'}, {'x': 1}, {street: 'q', tags: {'z', 'y'}})")
	add(5, "INSERT INTO parts (p, l, s, m, u) VALUES (1, [2], {'c'}, {'x': 0, 'y': 2}, {zip: 1})")
	add(5, "UPDATE parts SET l = null, s = {}, m = null, u = null WHERE p = 1")
	add(4, "UPDATE parts SET l = [7], s = {'o'}, m = {'o': 1}, u = {zip: 9} WHERE p = 1")
	add(6, "UPDATE parts SET l = [9], u = {street: 'z', zip: 1} WHERE p = 1")
	add(7, "UPDATE parts SET l = [], s = {}, m = {}, u = null WHERE p = 1")
	add(8, "UPDATE parts USING TTL 100000 SET l = [1], s = {'1'}, m = {'1': 1}, u = {zip: 1} WHERE p = 1")
	add(9, "DELETE l, s, m, u FROM parts WHERE p = 1")
	add(9, "UPDATE parts SET l = [1], s = {'1'}, m = {'1': 1}, u = {zip: 1} WHERE p = 1")
	add(10, "UPDATE parts SET l = [1], s = {'1'}, m = {'1': 1}, u = {zip: 1} WHERE p = 1")
	add(10, "DELETE FROM parts WHERE p = 1")
	add(11, "UPDATE parts SET u = {zip: 1} WHERE p = 2")
	add(12, "UPDATE parts SET u = null WHERE p = 2")
	bound := "INSERT INTO parts (p, l, s, m, u) VALUES (3, ?, ?, ?, ?)"
	text := func(s string) []byte { return []byte(s) }
	add(20, bound, many(1, int32Bytes(2), int32Bytes(1)), many(1, text("b"), text("a"), text("b")),
		many(2, text("k"), int32Bytes(1), text("j"), int32Bytes(2), text("k"), int32Bytes(3)),
		cells(text("s"), nil, many(1, text("b"), text("a"))))
	add(21, bound, many(1), many(1), many(2), cells(nil, nil, nil))
	add(22, bound, many(1, int32Bytes(2)), gocql.UnsetValue, many(2, text("k"), int32Bytes(1)), cells(text("short")))
	add(23, bound, nil, nil, nil, nil)
	return steps
}

// wholeSteps are of values that are frozen.
func wholeSteps() []step {
	steps := []step{
		{cql: "CREATE TYPE whole (street text, zip int, tags frozen<set<text>>)"},
		{cql: "CREATE TABLE wholes (p int PRIMARY KEY, l frozen<list<int>>, u frozen<whole>, t tuple<int, text>, lu list<frozen<whole>>, ts tuple<int, frozen<set<text>>>)"},
	}
	add := func(at int64, cql string, args ...any) {
		steps = append(steps, step{cql: cql, args: args, at: at}, step{cql: "SELECT p, l, u, t, lu, ts, writetime(u) FROM wholes", size: 100})
	}
	text := func(s string) []byte { return []byte(s) }
	add(5, "INSERT INTO wholes (p, l, u, t, lu) VALUES (1, [3, 1], {street: 'q', tags: {'z', 'y'}}, (1, 'one'), [{zip: 1}, {street: 'a'}])")
	add(5, "INSERT INTO wholes (p, l, u, t) VALUES (1, [4], {zip: 1}, (0, 'x'))")
	add(6, "INSERT INTO wholes (p, l) VALUES (1, [])")
	unordered := cells(text("s"), int32Bytes(1), many(1, text("b"), text("a")))
	add(6, "INSERT INTO wholes (p, u) VALUES (2, ?)", unordered)
	add(7, "INSERT INTO wholes (p, u, lu) VALUES (2, ?, ?)", cells(text("short")), many(1, unordered))
	add(8, "INSERT INTO wholes (p, ts) VALUES (2, ?)", cells(int32Bytes(1), many(1, text("b"), text("a"))))
	add(9, "UPDATE wholes SET u = null WHERE p = 2")
	return steps
}

// cells are values with their lengths, as tuples and user-defined types have them.
func cells(all ...[]byte) (b asSent) {
	b = asSent{}
	for _, cell := range all {
		length := uint32(len(cell))
		if cell == nil {
			length = 1<<32 - 1
		}
		b = append(binary.BigEndian.AppendUint32(b, length), cell...)
	}
	return b
}

// many is a collection whose elements are of so many values each.
func many(of int, all ...[]byte) asSent {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(all)/of)), cells(all...)...)
}
