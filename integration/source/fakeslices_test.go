package source_test

import (
	"math"
	"testing"
)

func TestTheFakeReadsSlicesOfATokenRangeAsCassandraDoes(t *testing.T) {
	steps := append(filled("slices", ""), filled("falling", " WITH CLUSTERING ORDER BY (c DESC, d ASC)")...)
	steps = append(steps, step{cql: "CREATE TABLE bare (p int, c int, s int STATIC, v int, PRIMARY KEY (p, c))"},
		step{cql: "UPDATE bare USING TIMESTAMP 5 SET s = 1 WHERE p = 1"}, step{cql: "INSERT INTO bare (p, c, s) VALUES (2, 1, 1) USING TIMESTAMP 5"},
		step{cql: "INSERT INTO bare (p, c, s) VALUES (2, 2, 1) USING TIMESTAMP 5"})
	const tokens = " WHERE token(p) > ? AND token(p) <= ?"
	some := []any{int64(-4 << 60), int64(math.MaxInt64)}
	for _, size := range []int{1, 3, 7, 100} {
		for _, table := range []string{"slices", "falling"} {
			for _, where := range []string{
				" AND c > 0", " AND c > 0 AND c <= 2", " AND c < 2", " AND c = 1", " AND c = 1 AND d > 0", " AND c = 1 AND d > 0 AND d <= 1",
				" AND c = 1 AND d = 2", " AND c = 99",
			} {
				steps = append(steps, step{cql: "SELECT p, c, d FROM " + table + tokens + where + " ALLOW FILTERING", args: some, size: size})
			}
			steps = append(steps, step{cql: "SELECT p, c, d FROM " + table + tokens + " PER PARTITION LIMIT 1", args: some, size: size})
		}
		steps = append(steps, step{cql: "SELECT p, c, s FROM bare" + tokens + " AND c > 1 ALLOW FILTERING", args: some, size: size},
			step{cql: "SELECT p, c, s FROM bare" + tokens, args: some, size: size},
			step{cql: "SELECT p FROM bare" + tokens + " PER PARTITION LIMIT 1", args: some, size: size})
	}
	compareSteps(t, map[string][]step{"slices": steps})
}
