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
	server.Keyspace("shop", "readings "+readings)
	session := server.Session("shop")
	for cql, says := range map[string]string{
		"SELECT count(*) FROM readings":                                                   "",
		"SELECT avg(celsius) FROM readings":                                               "the function avg",
		"SELECT DISTINCT sensor FROM readings":                                            "SELECT distinct",
		"SELECT * FROM readings WHERE sensor IN (1, 2)":                                   "conditions other than",
		"SELECT * FROM readings WHERE celsius = 1.0 ALLOW FILTERING":                      "conditions without the whole partition key",
		"SELECT * FROM readings ORDER BY seq DESC":                                        `ORDER BY other than the first clustering column`,
		"SELECT * FROM readings WHERE sensor = 1 AND celsius > 3.0":                       "this condition on the column celsius",
		"INSERT INTO readings (sensor, seq) VALUES (1, 2) IF NOT EXISTS":                  "lightweight transactions",
		"UPDATE readings SET celsius = celsius + 1 WHERE sensor = 1 AND seq = 1":          "",
		"DELETE FROM readings WHERE sensor = 1 AND seq > 3":                               "conditions of a write",
		"BEGIN COUNTER BATCH APPLY BATCH":                                                 "counters",
		"ALTER TABLE readings ADD x int":                                                  "statements that begin with alter",
		"CREATE INDEX ON readings (celsius)":                                              "CREATE index",
		"CREATE TABLE a (p int PRIMARY KEY, v list<int>)":                                 "collections that are not frozen",
		"CREATE TABLE a (p int PRIMARY KEY, v counter)":                                   "columns of type counter",
		"CREATE TABLE a (p int, c int, v int STATIC, PRIMARY KEY (p, c))":                 "static columns",
		"CREATE TABLE a (p int, c decimal, PRIMARY KEY (p, c))":                           "the order of clustering columns of type decimal",
		"INSERT INTO readings (sensor, seq, celsius) VALUES (:a, :b, :c)":                 "bind markers with names",
		"INSERT INTO readings (sensor, seq, celsius) VALUES (1, 99999999999999999999, 1)": "what a server says of a constant",
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
