package sink_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
)

func TestATargetThatIsAlteredOrEmptiedWhileItIsWrittenIsWrittenOn(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for _, change := range []string{"ALTER TABLE t ADD w text", "ALTER TABLE t DROP spare", "TRUNCATE t"} {
		t.Run(change, func(t *testing.T) {
			for name, to := range targets(session, ks+".t") {
				create(t, session, "DROP TABLE IF EXISTS t", "CREATE TABLE t (id bigint PRIMARY KEY, v int, spare int)")
				rep, err := intoChanging(t, to, pairs(40), 20, func() { create(t, session, change) })
				require.NoError(t, err, name)
				require.True(t, rep.Complete)
				want := 40
				if change == "TRUNCATE t" {
					want = 20
				}
				require.Equal(t, want, count(t, session, "t"), name)
			}
		})
	}
	t.Run("a column that is written is dropped", func(t *testing.T) {
		for name, to := range targets(session, ks+".t") {
			create(t, session, "DROP TABLE IF EXISTS t", "CREATE TABLE t (id bigint PRIMARY KEY, v int, spare int)")
			rep, err := intoChanging(t, to, pairs(40), 20, func() { create(t, session, "ALTER TABLE t DROP v") })
			require.ErrorIs(t, err, rxcql.ErrSchema, name)
			require.Zero(t, rep.Unknown)
		}
	})
}

func TestATypeThatGetsAFieldWhileItIsWrittenKeepsItsValuesRight(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	type point struct {
		X int32 `cql:"x"`
		Y int32 `cql:"y"`
	}
	type placed struct {
		ID int64   `cql:"id"`
		V  point   `cql:"v"`
		L  []point `cql:"l"`
	}
	var all []placed
	for i := range int64(40) {
		p := point{int32(i), -int32(i)}
		all = append(all, placed{i, p, []point{p}})
	}
	bind := func(p placed) ([]any, error) { return []any{p.ID, p.V, p.L}, nil }
	for name, to := range map[string]rxcql.Sink[placed]{
		"Table": sink.Table[placed](session, ks+".t"),
		"Exec":  sink.Exec(session, "INSERT INTO "+ks+".t (id, v, l) VALUES (?, ?, ?)", bind),
	} {
		create(t, session, "DROP TABLE IF EXISTS t", "DROP TYPE IF EXISTS point", "CREATE TYPE point (x int, y int)",
			"CREATE TABLE t (id bigint PRIMARY KEY, v point, l list<frozen<point>>)")
		rep, err := intoChanging(t, to, all, 20, func() { create(t, session, "ALTER TYPE point ADD z text") })
		require.NoError(t, err, name)
		require.True(t, rep.Complete)
		require.Equal(t, len(all), count(t, session, "t"))
		for _, p := range all {
			var x, y, lx, ly int32
			var z *string
			require.NoError(t, session.Query("SELECT v.x, v.y, v.z FROM t WHERE id = ?", p.ID).Scan(&x, &y, &z))
			require.Equal(t, p.V, point{x, y}, name)
			require.Nil(t, z)
			var list []map[string]any
			require.NoError(t, session.Query("SELECT l FROM t WHERE id = ?", p.ID).Scan(&list))
			lx, ly = int32(list[0]["x"].(int)), int32(list[0]["y"].(int))
			require.Equal(t, p.L, []point{{lx, ly}}, name)
		}
	}
}

func TestAColumnThatIsDroppedAndMadeAgainIsNotTakenForTheOldOne(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for name, at := range map[string]int{"in the midst": 100, "after the last row": 200} {
		create(t, session, "CREATE TABLE t (id bigint PRIMARY KEY, v int, w int)")
		for sinkName, to := range targets(session, ks+".t") {
			t.Run(sinkName+" "+name, func(t *testing.T) {
				rep, err := intoChanging(t, to, pairs(200), at, func() {
					create(t, session, "ALTER TABLE t DROP v", "ALTER TABLE t ADD v int")
				}, rxcql.WithRowErrors(rxcql.SkipRows(1000)))
				refusedAsChanged(t, rep, err)
				require.ErrorContains(t, err, `column "v" of table `)
				require.EqualValues(t, at, rep.Written)
				create(t, session, "ALTER TABLE t DROP w")
				rep, err = intoChanging(t, to, pairs(200), at, func() { create(t, session, "ALTER TABLE t ADD w int", "ALTER TABLE t DROP w") })
				require.NoError(t, err, "what was dropped before, and what is not there, does not matter")
				require.EqualValues(t, 200, rep.Written)
				create(t, session, "ALTER TABLE t ADD w int")
			})
		}
		create(t, session, "DROP TABLE t")
	}
}
