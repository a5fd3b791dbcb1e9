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
