package schema_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/schema"
)

func TestTheTablesOfAStatementAreThoseThatItNames(t *testing.T) {
	for cql, want := range map[string][]string{
		"UPDATE ks.t SET v = 1 WHERE id = 0":                                                                      {"ks.t"},
		"update\n\tt\nset v = 1 where id = 0;":                                                                    {"t"},
		`INSERT INTO "Ks"."From""" JSON '{"from": "x"}'`:                                                          {`"Ks"."From"""`},
		"DELETE v, w FROM ks . t WHERE id = 0":                                                                    {"ks.t"},
		"SELECT v FROM t":                                                                                         {"t"},
		"INSERT INTO t(id,v) VALUES (0,'it''s INTO u from v')":                                                    {"t"},
		"INSERT INTO t (id, v) VALUES (0, $$ UPDATE 'u $$)":                                                       {"t"},
		"UPDATE /* INTO a */ t -- FROM b\n SET v = 1 // FROM 'c\n WHERE id = 0":                                   {"t"},
		`UPDATE t SET "from" = 1, into_x = 2, x.update_y = :from_z WHERE id = 0`:                                  {"t"},
		"BEGIN BATCH UPDATE t SET v=1 WHERE id=0;INSERT INTO u(id)VALUES(?);DELETE FROM t WHERE id=1;APPLY BATCH": {"t", "u"},
		"TRUNCATE t": nil,
		"UPDATE":     nil,
		"":           nil,
	} {
		require.Equal(t, want, schema.Mentioned(cql), cql)
	}
}

func TestAColumnThatAStatementNamesIsToldFromItsTable(t *testing.T) {
	for _, c := range []struct {
		cql, column string
		want        bool
	}{
		{"SELECT a FROM ks.data", "data", false},
		{"SELECT a FROM data", "data", false},
		{"SELECT a FROM data.t", "data", false},
		{`SELECT a FROM "ks"."data" WHERE a = 1`, "data", false},
		{"SELECT data FROM data", "data", true},
		{"SELECT a FROM t WHERE Data = ?", "data", true},
		{"SELECT a, metadata, data_1 FROM t", "data", false},
		{`SELECT "Data" FROM t`, "data", false},
		{`SELECT "Data" FROM t`, "Data", true},
		{"SELECT Data FROM t", "Data", false},
		{`SELECT "a""b" FROM t`, `a"b`, true},
		{`SELECT """a" FROM t`, `"a`, true},
		{"SELECT WRITETIME(v) FROM t", "v", true},
		{"SELECT v.v1 FROM t", "v", true},
		{"SELECT a FROM t -- data", "data", false},
		{"SELECT a /* data */ FROM t", "data", false},
		{"INSERT INTO data (a, b) VALUES (?, ?)", "data", false},
		{"INSERT INTO t (a, data) VALUES (?, ?)", "data", true},
		{`INSERT INTO t JSON '{"data": 1}'`, "data", true},
		{`INSERT INTO t JSON '{"\\"Data\\"": 1}'`, "Data", true},
		{"INSERT INTO t JSON $${'data': 1}$$", "data", true},
		{"UPDATE data SET v[?] = 1 WHERE a = 0", "data", false},
		{"UPDATE t SET data[?] = 1 WHERE a = 0", "data", true},
		{"BEGIN BATCH UPDATE data SET v=1 WHERE id=0;INSERT INTO u(data)VALUES(?);APPLY BATCH", "data", true},
		{"SELECT a FROM", "from", true},
		{"", "a", false},
	} {
		require.Equal(t, c.want, schema.MentionsColumn(c.cql, c.column), "%s: %s", c.cql, c.column)
	}
}
