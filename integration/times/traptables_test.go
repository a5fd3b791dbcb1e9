package times_test

import (
	"fmt"
	"math"
	"time"
)

// trap is a table that copiers have been known to get wrong: what it has, and the statements that
// fill it, in which $ stands for its name.
type trap struct {
	columns string
	options string
	rows    []string
	renamed map[string]string // columns that have another name at the target
	target  string            // the target's columns; empty for those that Create makes
}

const day = 24 * int64(time.Hour/time.Microsecond)

// traps are made for a moment in microseconds, that of the test.
func traps(now int64) map[string]trap {
	old := now - 400*day
	ahead := now * 1000 // somebody took nanoseconds
	return map[string]trap{
		"empty": {columns: `p int PRIMARY KEY, v text, l list<int>`},
		"times_before_1970": {columns: `p int, c int, s text STATIC, v text, w int, m map<text, int>, l list<int>, PRIMARY KEY (p, c)`, rows: []string{
			`INSERT INTO $ (p, c, v) VALUES (1, 1, 'zero')` + using(0, 0),
			`INSERT INTO $ (p, c, v, w, m, l) VALUES (1, 2, 'negative', 1, {'a': 1}, [1, 2])` + using(-5, 0),
			`INSERT INTO $ (p, c, v, l) VALUES (1, 3, 'the first', [1, 1])` + using(math.MinInt64+2, 0),
			`UPDATE $` + using(-7, 50000) + `SET s = 'static' WHERE p = 1`,
			`INSERT INTO $ (p, s) VALUES (2, 'alone')` + using(0, 0),
		}},
		"times_ahead": {columns: `p int PRIMARY KEY, v text, m map<int, text>, l list<int>`, rows: []string{
			`INSERT INTO $ (p, v, m, l) VALUES (1, 'nanoseconds', {1: 'x'}, [1, 1, 2])` + using(ahead, 0),
			`INSERT INTO $ (p, v, l) VALUES (2, 'in a minute', [3, 3])` + using(now+60_000_000, 40000),
			`INSERT INTO $ (p, v) VALUES (3, 'the last')` + using(math.MaxInt64-1, 0),
		}},
		"statics": {columns: `p int, c int, s text STATIC, sm map<text, int> STATIC, ss set<int> STATIC, sl list<int> STATIC, v int, PRIMARY KEY (p, c)`, rows: []string{
			`UPDATE $` + using(old, 0) + `SET s = 'alone', sm = {'a': 1}, ss = {1, 2}, sl = [1, 2] WHERE p = 1`,
			`UPDATE $` + using(old+9, 70000) + `SET sm = sm + {'b': 2}, ss = ss + {3} WHERE p = 1`,
			`UPDATE $` + using(old, 0) + `SET s = 'with rows' WHERE p = 2`,
			`INSERT INTO $ (p, c, v) VALUES (2, 1, 1)` + using(old, 0), `INSERT INTO $ (p, c) VALUES (2, 2)`,
			`INSERT INTO $ (p, c, v) VALUES (3, 1, 3)` + using(old, 0),
			`UPDATE $` + using(old, 0) + `SET s = 'deleted' WHERE p = 4`, `DELETE s FROM $ USING TIMESTAMP ` + fmt.Sprint(old+1) + ` WHERE p = 4`,
		}},
		"keys_alone": {columns: `a text, b int, c timestamp, d decimal, e uuid, v text, PRIMARY KEY ((a, b), c, d, e)`, rows: []string{
			`INSERT INTO $ (a, b, c, d, e) VALUES ('', -1, '1969-12-31 23:59:59.999+0000', -1e-300, 00000000-0000-0000-0000-000000000000)`,
			`INSERT INTO $ (a, b, c, d, e, v) VALUES ('x', 1, '2020-01-01', 1.00, 123e4567-e89b-12d3-a456-426614174000, '')` + using(old, 0),
			`INSERT INTO $ (a, b, c, d, e, v) VALUES ('x', 1, '2020-01-01', 1.01, 123e4567-e89b-12d3-a456-426614174000, null)` + using(old, 0),
			`UPDATE $` + using(old, 0) + `SET v = 'updated' WHERE a = 'x' AND b = 2 AND c = '2020-01-01' AND d = 0 AND e = 123e4567-e89b-12d3-a456-426614174000`,
		}},
		`"Mixed"`: {columns: `"Key" int, "select" int, "a ""b" text, "from" text, "writetime(gone)" text, "expires(gone)" bigint, "Ünïcode $x" set<text>, PRIMARY KEY ("Key", "select")`, rows: []string{
			`INSERT INTO $ ("Key", "select", "a ""b", "from", "writetime(gone)", "expires(gone)") VALUES (1, 2, 'three', 'four', 'five', 6)` + using(old, 0),
			`UPDATE $` + using(old+1, 60000) + `SET "from" = 'later', "Ünïcode $x" = {'a'} WHERE "Key" = 1 AND "select" = 2`,
		}},
		"nested": {columns: `p int PRIMARY KEY, u address, l list<frozen<map<text, frozen<address>>>>, s set<frozen<tuple<int, text>>>, m map<frozen<address>, frozen<list<address>>>,
			fl frozen<list<int>>, t tuple<int, frozen<list<text>>>, vec vector<float, 3>, vecs list<frozen<vector<int, 2>>>`, rows: []string{
			`INSERT INTO $ (p, u, l, s, m, fl, t, vec, vecs) VALUES (1, {street: 'a', "No": 2}, [{'home': {street: null}}, {}], {(1, 'x'), (2, null)},
				{{street: 'k'}: [{street: 'v'}, {"No": 3}]}, [], (null, ['y']), [1.5, -0.0, 3.4028235e38], [[1, 2], [3, 4]])` + using(old, 0),
			`UPDATE $` + using(old+5, 30000) + `SET u.street = 'later', s = s + {(3, 'z')}, m = m + {{street: 'z'}: []} WHERE p = 1`,
			`UPDATE $` + using(old+6, 0) + `SET l = l + [{'x': {"No": 1}}], vecs = [[5, 6]] + vecs WHERE p = 1`,
			`DELETE u."No" FROM $ USING TIMESTAMP ` + fmt.Sprint(old+7) + ` WHERE p = 1`,
			`INSERT INTO $ (p, m) VALUES (2, {})`, `INSERT INTO $ (p, t) VALUES (3, (1, null))` + using(old, 0),
			`INSERT INTO $ (p, u) VALUES (4, {extra: (1, 'e')})` + using(old, 9000),
		}},
		"extremes": {columns: `p int PRIMARY KEY, n varint, d duration, dec decimal, f float, g double, b blob, t time, day date, at timestamp, i inet, tu timeuuid, y boolean, tiny tinyint, small smallint, e int`, rows: []string{
			`INSERT INTO $ (p, n, d, dec, f, g, b, t, day, at, i, tu, y, tiny, small) VALUES (1, -170141183460469231731687303715884105729, -13mo40d9223372036854775807ns,
				1e-2147483, NaN, -Infinity, 0x, '23:59:59.999999999', '-5877641-06-23', 9223372036854775807, '::ffff:1.2.3.4', 50554d6e-29bb-11e5-b345-feff819cdc9f, false, -128, -32768)` + using(old, 0),
			`INSERT INTO $ (p, n, dec, g, b, d) VALUES (2, 0, 0.000, -0.0, 0x00, 0s)` + using(old, 300000000),
			`INSERT INTO $ (p, e, n) VALUES (3, blob_as_int(0x), blob_as_varint(0x0000))` + using(old, 0),
		}},
		"in_order": {columns: `p boolean, c tuple<int, text>, d frozen<address>, e frozen<set<int>>, v int, PRIMARY KEY (p, c, d, e)`, options: " WITH CLUSTERING ORDER BY (c DESC, d ASC, e DESC)", rows: []string{
			`INSERT INTO $ (p, c, d, e, v) VALUES (true, (1, 'x'), {street: 'a'}, {}, 1)` + using(old, 0),
			`INSERT INTO $ (p, c, d, e, v) VALUES (true, (1, null), {"No": 1}, {1, 2}, 2)` + using(old, 0),
			`INSERT INTO $ (p, c, d, e, v) VALUES (false, (2, ''), {street: ''}, {3}, 3)` + using(old, 50000),
		}},
		"expires_by_default": {columns: `p int PRIMARY KEY, v text, w text, m map<int, int>, l list<int>`, options: " WITH default_time_to_live = 400000", rows: []string{
			`INSERT INTO $ (p, v, m, l) VALUES (1, 'by default', {1: 1}, [1])`,
			`UPDATE $` + using(old, 0) + `SET w = 'never', m = m + {2: 2}, l = l + [2] WHERE p = 1`,
			`INSERT INTO $ (p, v) VALUES (2, 'never')` + using(old, 0),
		}},
		"wider": {columns: `p int, c int, n int, m map<int, smallint>, s set<smallint>, PRIMARY KEY (p, c)`, rows: []string{
			`INSERT INTO $ (p, c, n, m, s) VALUES (1, 1, 7, {1: 15, -2: 0}, {3, -4})` + using(old, 0),
			`UPDATE $` + using(old+3, 80000) + `SET m = m + {5: 5}, s = s + {6} WHERE p = 1 AND c = 1`,
		}, renamed: map[string]string{"n": "number"}, target: `p int, c int, number bigint, m map<bigint, int>, s set<int>, PRIMARY KEY (p, c)`},
	}
}
