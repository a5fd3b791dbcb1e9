package cqlfake_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

func TestWhatIsNotKnownIsAnErrorThatSaysSo(t *testing.T) {
	server := cqlfake.New(t)
	server.Exec("CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy'}", "CREATE TYPE shop.address (street text, zip int)")
	for _, table := range []string{
		"readings " + readings, "times (p int PRIMARY KEY, t timestamp, d date)", "counts (p int PRIMARY KEY, n counter)",
		"parts (p int PRIMARY KEY, l list<int>, m map<text, int>, a address, f frozen<address>)",
		"wide (p int, c int, v int, s int STATIC, PRIMARY KEY (p, c))",
	} {
		server.Exec("CREATE TABLE shop." + table)
	}
	server.Exec("UPDATE shop.counts SET n = n + 1 WHERE p = 1", "DELETE n FROM shop.counts WHERE p = 1")
	session := server.Session("shop")
	for cql, says := range map[string]string{
		"SELECT count(*) FROM readings":                                                                         "",
		"SELECT avg(celsius) FROM readings":                                                                     "the function avg",
		"SELECT DISTINCT sensor FROM readings":                                                                  "SELECT distinct",
		"SELECT * FROM readings WHERE celsius = 1.0 ALLOW FILTERING":                                            "conditions without the whole partition key",
		"SELECT * FROM readings WHERE sensor = 1 AND celsius > 3.0":                                             "this condition on the column celsius",
		"SELECT * FROM readings WHERE sensor = 1 AND seq > 1 AND seq >= 2":                                      "two conditions that bound one column",
		"SELECT * FROM readings WHERE sensor = 1 AND seq = 1 AND seq = 1":                                       "two conditions that bound one column",
		"SELECT * FROM readings WHERE token(sensor) > 1 AND token(sensor) > 2":                                  "two conditions that bound one column",
		"SELECT celsius / 2 FROM readings":                                                                      "the sign /",
		"INSERT INTO readings (sensor, seq) VALUES ($$1$$, 2)":                                                  "the sign $",
		"CREATE TABLE a (p int PRIMARY KEY, v int) WITH default_ttl = 5":                                        "the option default_ttl of a table",
		"CREATE TABLE a (p int PRIMARY KEY, v int) WITH id = 'x'":                                               "the option id of a table",
		"CREATE TABLE a (p int, c int, v int, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (v DESC)":            "a CLUSTERING ORDER of other columns",
		"CREATE TABLE a (p int, c int, d int, PRIMARY KEY (p, c, d)) WITH CLUSTERING ORDER BY (d DESC, c DESC)": "a CLUSTERING ORDER of other columns",
		"CREATE TABLE a (p int, c int, PRIMARY KEY (p, c, c))":                                                  "twice in the primary key",
		"CREATE TABLE a (p duration PRIMARY KEY)":                                                               "a duration in the primary key",
		"CREATE TABLE a (p frozen<list<duration>> PRIMARY KEY)":                                                 "a duration in the primary key",
		"INSERT INTO times (p, t) VALUES (1, 1000)":                                                             "numbers as constants of type timestamp",
		"INSERT INTO times (p, d) VALUES (1, 1000)":                                                             "numbers as constants of type date",
		"UPDATE readings SET celsius = celsius + 1 WHERE sensor = 1 AND seq = 1":                                "",
		"DELETE FROM readings WHERE sensor = 1 AND seq > 3":                                                     "conditions of a write",
		"CREATE INDEX ON readings (celsius)":                                                                    "CREATE index",
		"CREATE TABLE a (p int PRIMARY KEY, v set<frozen<address>>)":                                            "the order of frozen<address> in a set",
		"CREATE TABLE a (p int PRIMARY KEY, v 'DynamicCompositeType')":                                          "custom types",
		"CREATE TABLE a (p int, c frozen<address>, PRIMARY KEY (p, c))":                                         "the order of clustering columns",
		"UPDATE parts SET l = l + [1] WHERE p = 1":                                                              "values that are computed by the server",
		"UPDATE parts SET l += [1] WHERE p = 1":                                                                 "values that are computed by the server",
		"UPDATE parts SET m['a'] = 1 WHERE p = 1":                                                               "elements of collections",
		"UPDATE parts SET a.street = 'x' WHERE p = 1":                                                           "elements of collections",
		"DELETE m['a'] FROM parts WHERE p = 1":                                                                  "elements of collections",
		"SELECT m['a'] FROM parts":                                                                              "elements of collections",
		"SELECT a.street FROM parts":                                                                            "fields of user-defined types",
		"SELECT writetime(l) FROM parts":                                                                        "writetime of counters",
		"SELECT writetime(n) FROM counts":                                                                       "writetime of counters",
		"UPDATE parts SET l = [1] WHERE p = 1 IF l = [2]":                                                       "conditions (IF) on collections",
		"INSERT INTO parts (p, l) VALUES (1, [?])":                                                              "bind markers inside of constants",
		"INSERT INTO parts (p, l) VALUES (1, [null])":                                                           "nulls in collections",
		"INSERT INTO parts (p, l) VALUES (1, ['a'])":                                                            "what a server says of this constant",
		"INSERT INTO parts (p, f) VALUES (1, {town: 'a'})":                                                      "the field town",
		"INSERT INTO wide (p, c, s) VALUES (1, 2, 3) IF NOT EXISTS":                                             "conditions (IF) on tables with static columns",
		"SELECT * FROM wide WHERE s = 1":                                                                        "conditions without the whole partition key",
		"UPDATE counts SET n = n + 1, n = n + 2 WHERE p = 2":                                                    "a counter that one statement adds to twice",
		"UPDATE counts SET n = n + 1 WHERE p = 1":                                                               "counted on after they were deleted",
		"ALTER TABLE counts ADD m counter":                                                                      "ALTER TABLE … ADD of a counter",
		"DROP TYPE address":                                                                                     "that a table has",
		"CREATE TABLE a (p int, c decimal, PRIMARY KEY (p, c))":                                                 "the order of clustering columns of type decimal",
		"INSERT INTO readings (sensor, seq, celsius) VALUES (:a, :b, :c)":                                       "bind markers with names",
		"INSERT INTO readings (sensor, seq, celsius) VALUES (1, 99999999999999999999, 1)":                       "what a server says of a constant",
		"SELECT * FROM readings WHERE sensor IN (1, 2) ORDER BY seq DESC":                                       "ORDER BY together with IN",
		"SELECT * FROM readings WHERE sensor = 1 ORDER BY celsius":                                              "ORDER BY of other columns",
		"SELECT * FROM readings WHERE sensor != 1":                                                              "conditions other than",
		"UPDATE readings SET celsius = 1 WHERE sensor = 1 AND seq = 1 IF celsius > 3":                           "conditions (IF) other than",
		"BEGIN BATCH INSERT INTO readings (sensor, seq) VALUES (1, 2) IF NOT EXISTS; APPLY BATCH":               "conditions (IF) in a batch",
		"ALTER TABLE readings DROP celsius":                                                                     "ALTER TABLE … drop",
		"ALTER TYPE address ADD x int":                                                                          "ALTER type",
	} {
		err := session.Query(cql).Exec()
		require.ErrorContains(t, err, "cqlfake does not know", cql)
		require.ErrorContains(t, err, says, cql)
		require.ErrorContains(t, err, "test this against a real server", cql)
	}
}

func TestWhatHasATTLIsGoneWhenItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t)
		server.Keyspace("ks", "t (p int PRIMARY KEY, a int, b int) WITH default_time_to_live = 100")
		session := server.Session("ks")
		server.Exec("INSERT INTO ks.t (p) VALUES (1) USING TTL 10", "UPDATE ks.t USING TTL 20 SET a = 1 WHERE p = 1", "UPDATE ks.t SET b = 1 WHERE p = 1",
			"INSERT INTO ks.t (p, a) VALUES (2, 2) USING TTL 0")
		ttl := func(column string, p int) (left *int) {
			err := session.Query("SELECT ttl("+column+") FROM t WHERE p = ?", p).Scan(&left)
			if err == gocql.ErrNotFound {
				return nil
			}
			require.NoError(t, err)
			return left
		}
		require.Equal(t, 20, *ttl("a", 1))
		require.Equal(t, 100, *ttl("b", 1))
		require.Nil(t, ttl("a", 2))
		time.Sleep(19 * time.Second)
		require.Equal(t, 1, *ttl("a", 1))
		time.Sleep(time.Second)
		require.Nil(t, ttl("a", 1))
		require.Equal(t, 80, *ttl("b", 1))
		time.Sleep(80 * time.Second)
		require.ErrorIs(t, session.Query("SELECT p FROM t WHERE p = 1").Scan(new(int)), gocql.ErrNotFound)
		require.NoError(t, session.Query("SELECT p FROM t WHERE p = 2").Scan(new(int)))
	})
}

func TestATableThatIsDroppedAndMadeAgainIsAnotherOne(t *testing.T) {
	server := cqlfake.New(t)
	server.Keyspace("ks", "t (p int PRIMARY KEY, a int)")
	session := server.Session("ks")
	read := session.Query("SELECT * FROM t")
	require.NoError(t, read.Exec())
	var before, after gocql.UUID
	id := "SELECT id FROM system_schema.tables WHERE keyspace_name = 'ks' AND table_name = 't'"
	require.NoError(t, session.Query(id).Scan(&before))
	require.NoError(t, session.Query("DROP TABLE t").Exec())
	require.ErrorContains(t, read.Exec(), "table t does not exist")
	require.ErrorIs(t, session.Query(id).Scan(&after), gocql.ErrNotFound)
	require.NoError(t, session.Query("CREATE TABLE t (p int PRIMARY KEY, a text)").Exec())
	require.NoError(t, session.Query(id).Scan(&after))
	require.NotEqual(t, before, after)
	metadata, err := session.KeyspaceMetadata("ks")
	require.NoError(t, err)
	require.Equal(t, gocql.TypeText, metadata.Tables["t"].Columns["a"].Type.Type())
}

func TestReservedWordsAreNoNamesWithoutQuotes(t *testing.T) {
	server := cqlfake.New(t)
	server.Keyspace("ks", `mail (id int PRIMARY KEY, "from" text, "to" text)`)
	session := server.Session("ks")
	for _, cql := range []string{
		"CREATE TABLE other (id int PRIMARY KEY, to text)", "SELECT to FROM mail", "INSERT INTO mail (id, to) VALUES (1, 'a')",
		"UPDATE mail SET to = 'a' WHERE id = 1", "DELETE to FROM mail WHERE id = 1", "SELECT id AS order FROM mail", "CREATE TABLE order (id int PRIMARY KEY)",
	} {
		var refused gocql.RequestError
		require.ErrorAs(t, session.Query(cql).Exec(), &refused, cql)
		require.Equal(t, gocql.ErrCodeSyntax, refused.Code(), cql)
	}
	require.NoError(t, session.Query(`INSERT INTO mail (id, "from", "to") VALUES (1, 'a', 'b')`).Exec())
	var to string
	require.NoError(t, session.Query(`SELECT "to" FROM mail WHERE id = 1`).Scan(&to))
	require.Equal(t, "b", to)
}

func TestTablesOfTheSystemAreNotChanged(t *testing.T) {
	server := cqlfake.New(t)
	session := server.Session("")
	for _, cql := range []string{
		"DROP TABLE system.local", "TRUNCATE system.local", "DROP KEYSPACE system", "CREATE TABLE system.mine (p int PRIMARY KEY)",
		"INSERT INTO system.local (key) VALUES ('x')",
	} {
		require.ErrorContains(t, session.Query(cql).Exec(), "not user-modifiable", cql)
	}
}
