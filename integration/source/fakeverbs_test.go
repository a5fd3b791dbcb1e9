package source_test

import (
	"fmt"
	"testing"
)

func TestTheFakeKnowsINAndORDERBYAndConditionsAndALTERAsCassandraDoes(t *testing.T) {
	compareSteps(t, map[string][]step{"in": inSteps(), "order": orderSteps(), "conditions": conditionSteps(), "alter": alterSteps()})
}

// filled makes a table of 8 partitions of 12 rows.
func filled(name, key string) []step {
	steps := []step{{cql: "CREATE TABLE " + name + " (p int, c int, d int, v text, PRIMARY KEY (p, c, d))" + key}}
	for i := range 96 {
		steps = append(steps, step{cql: "INSERT INTO " + name + " (p, c, d, v) VALUES (?, ?, ?, ?)", args: []any{i%8 - 3, i / 8 % 4, i / 32, fmt.Sprint(i)}, at: 5})
	}
	return steps
}

func inSteps() []step {
	steps := filled("ins", "")
	for _, size := range []int{0, 1, 3, 12, 50} {
		for _, cql := range []string{
			"SELECT p, c, d FROM ins WHERE p IN (3, 1, -2, 99, 1, 0)",
			"SELECT p, c, d FROM ins WHERE p IN (4, -3) AND c = 2",
			"SELECT p, c, d FROM ins WHERE p IN (4, -3) AND c = 2 AND d IN (2, 0)",
			"SELECT p, c, d FROM ins WHERE p IN (4, -3) LIMIT 15",
			"SELECT p, c, d FROM ins WHERE p IN ()",
			"SELECT p, c, d FROM ins WHERE p = 1 AND c IN (3, 1, 77, 3)",
			"SELECT p, c, d FROM ins WHERE p = 1 AND c IN (3, 1) AND d IN (2, 1)",
			"SELECT p, c, d FROM ins WHERE p = 1 AND c IN (3, 1) AND d > 0",
			"SELECT p, c, d FROM ins WHERE p = 1 AND c IN (3, 1) LIMIT 4",
			"SELECT p, c, d FROM ins WHERE p = 1 AND c IN ()",
		} {
			steps = append(steps, step{cql: cql, size: size})
		}
		list := asSent{0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 3}
		steps = append(steps, step{cql: "SELECT p, c, d FROM ins WHERE p IN ?", args: []any{list}, size: size},
			step{cql: "SELECT p, c, d FROM ins WHERE p = ? AND c IN ?", args: []any{1, list}, size: size},
			step{cql: "SELECT p, c, d FROM ins WHERE p IN (?, 3, ?)", args: []any{1, -1}, size: size})
	}
	steps = append(steps, step{cql: "SELECT p FROM ins WHERE p = 1 AND c IN (?, 1)", args: []any{nil}, size: 5})
	steps = append(steps, step{cql: "CREATE TABLE ins2 (a int, b text, c int, PRIMARY KEY ((a, b), c)) WITH CLUSTERING ORDER BY (c DESC)"})
	for i := range 27 {
		steps = append(steps, step{cql: "INSERT INTO ins2 (a, b, c) VALUES (?, ?, ?)", args: []any{i % 3, fmt.Sprint("b", i/3%3), i}, at: 5})
	}
	for _, size := range []int{1, 4, 100} {
		steps = append(steps, step{cql: "SELECT a, b, c FROM ins2 WHERE a IN (2, 0, 1) AND b IN ('b2', 'b0')", size: size},
			step{cql: "SELECT a, b, c FROM ins2 WHERE a = 1 AND b IN ('b2', 'b0')", size: size},
			step{cql: "SELECT a, b, c FROM ins2 WHERE a = 1 AND b = 'b1' AND c IN (4, 13, 22)", size: size})
	}
	return steps
}

func orderSteps() []step {
	steps := append(filled("ups", ""), filled("downs", " WITH CLUSTERING ORDER BY (c DESC, d ASC)")...)
	for _, size := range []int{0, 1, 3, 11, 12, 13} {
		for _, cql := range []string{
			"SELECT c, d FROM ups WHERE p = 1 ORDER BY c DESC",
			"SELECT c, d FROM ups WHERE p = 1 ORDER BY c DESC, d DESC",
			"SELECT c, d FROM ups WHERE p = 1 ORDER BY c ASC, d ASC",
			"SELECT c, d FROM ups WHERE p = 1 ORDER BY c",
			"SELECT c, d FROM ups WHERE p = 1 ORDER BY c DESC LIMIT 5",
			"SELECT c, d FROM ups WHERE p = 1 AND c > 0 AND c <= 2 ORDER BY c DESC",
			"SELECT c, d FROM ups WHERE p = 1 AND c = 2 ORDER BY c DESC",
			"SELECT c, d FROM ups WHERE p = 1 AND c IN (1, 3) ORDER BY c DESC",
			"SELECT c, d FROM downs WHERE p = 1 ORDER BY c ASC",
			"SELECT c, d FROM downs WHERE p = 1 ORDER BY c ASC, d DESC",
			"SELECT c, d FROM downs WHERE p = 1 ORDER BY c DESC, d ASC",
			"SELECT v FROM downs WHERE p = 1 AND c >= 1 ORDER BY c ASC LIMIT 4",
		} {
			steps = append(steps, step{cql: cql, size: size})
		}
	}
	return append(steps, step{cql: "SELECT c FROM ups ORDER BY c DESC", size: 5}, step{cql: "SELECT c FROM ups WHERE p = 1 ORDER BY x DESC", size: 5})
}

func conditionSteps() []step {
	steps := []step{{cql: "CREATE TABLE conds (p int, c int, v text, w int, PRIMARY KEY (p, c))"}}
	add := func(cql string, args ...any) {
		steps = append(steps, step{cql: cql, args: args, rows: true}, step{cql: "SELECT p, c, v, w FROM conds", size: 100})
	}
	add("INSERT INTO conds (p, c, v, w) VALUES (1, 1, 'a', 1) IF NOT EXISTS")
	add("INSERT INTO conds (p, c, v, w) VALUES (1, 1, 'b', 2) IF NOT EXISTS")
	add("INSERT INTO conds (p, c, v) VALUES (?, ?, ?) IF NOT EXISTS", 1, 2, "c")
	add("INSERT INTO conds (p, c, v) VALUES (?, ?, ?) IF NOT EXISTS", 1, 2, "d")
	add("UPDATE conds SET v = 'e' WHERE p = 1 AND c = 1 IF EXISTS")
	add("UPDATE conds SET v = 'e' WHERE p = 1 AND c = 9 IF EXISTS")
	add("UPDATE conds SET v = 'f' WHERE p = 1 AND c = 1 IF v = 'e'")
	add("UPDATE conds SET v = 'g' WHERE p = 1 AND c = 1 IF v = 'e'")
	add("UPDATE conds SET v = 'g' WHERE p = 1 AND c = 1 IF w = 1 AND v = ?", "x")
	add("UPDATE conds SET v = 'g' WHERE p = 1 AND c = 1 IF w = 1 AND v = ?", "f")
	add("UPDATE conds SET v = 'g' WHERE p = 1 AND c = 9 IF v = 'e'")
	add("UPDATE conds SET v = 'g' WHERE p = 1 AND c = 2 IF w = null")
	add("UPDATE conds SET w = 3 WHERE p = 1 AND c = 2 IF w = ?", nil)
	add("UPDATE conds SET w = 4 WHERE p = 1 AND c = 2 IF w = ?", nil)
	add("UPDATE conds SET w = 4 WHERE p = 1 AND c = 8 IF w = null")
	add("DELETE FROM conds WHERE p = 1 AND c = 1 IF v = 'nope'")
	add("DELETE v FROM conds WHERE p = 1 AND c = 1 IF v = 'g'")
	add("DELETE FROM conds WHERE p = 1 AND c = 1 IF EXISTS")
	add("DELETE FROM conds WHERE p = 1 AND c = 1 IF EXISTS")
	add("INSERT INTO conds (p, c, v) VALUES (1, 1, 'again') IF NOT EXISTS USING TTL 100000")
	add("UPDATE conds USING TIMESTAMP 5 SET v = 'q' WHERE p = 1 AND c = 1 IF EXISTS")
	add("INSERT INTO conds (p, c) VALUES (1, 1) IF NOT EXISTS USING TIMESTAMP 5")
	add("UPDATE conds SET v = 'q' WHERE p = 1 AND c = 1 IF p = 1")
	add("UPDATE conds SET v = 'q' WHERE p = 1 AND c = 1 IF x = 1")
	add("UPDATE conds SET v = 'q' WHERE p = 1 IF EXISTS")
	add("DELETE FROM conds WHERE p = 1 IF EXISTS")
	return steps
}

func alterSteps() []step {
	all := step{cql: "SELECT * FROM alters", size: 10}
	return []step{
		{cql: "CREATE TABLE alters (p int PRIMARY KEY, m int)"}, {cql: "INSERT INTO alters (p, m) VALUES (1, 2)"}, all,
		{cql: "ALTER TABLE alters ADD z text"}, all, {cql: "INSERT INTO alters (p, m, z) VALUES (2, 3, 'z')"}, all,
		{cql: "ALTER TABLE alters ADD (a int, b frozen<list<int>>)"}, all, {cql: "UPDATE alters SET a = 7 WHERE p = 1"}, all,
		{cql: "ALTER TABLE alters ADD a int"}, {cql: "ALTER TABLE alters ADD p int"}, {cql: "ALTER TABLE nowhere ADD x int"},
		{cql: "ALTER TABLE nokeyspace.nowhere ADD x int"},
	}
}
