package source_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/keyorder"
	"github.com/rxcql/rxcql/source"
)

// clusteringTypes are types that clustering columns may have, and whether an empty value is one.
var clusteringTypes = map[string]bool{
	"ascii": true, "text": true, "blob": true, "boolean": true, "tinyint": false, "smallint": false, "int": true, "bigint": true,
	"timestamp": true, "date": false, "time": false, "float": true, "double": true, "inet": true, "uuid": true, "timeuuid": true,
	"varint": true, "decimal": true, "frozen<list<int>>": false, "frozen<list<text>>": false, "frozen<set<bigint>>": false,
	"frozen<set<decimal>>": false, "frozen<map<text, double>>": false, "frozen<map<int, frozen<set<timeuuid>>>>": false,
	"frozen<udt>": true, "frozen<list<frozen<udt>>>": false, "frozen<tuple<int, text, decimal>>": false,
	"vector<float, 2>": false, "vector<uuid, 2>": false, "vector<text, 2>": false, "vector<date, 2>": false, "vector<smallint, 1>": false,
	"vector<vector<int, 1>, 2>": false, "vector<frozen<set<int>>, 1>": false,
}

// The rows of a partition, with a clustering column of each type in both directions, are in the
// order that package keyorder says, and values of which it says that they are one are one row.
func TestRowsComeInTheOrderThatIsKnownForEachTypeAndDirection(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TYPE %s.udt (a int, b text, c decimal)", ks)
	n := 0
	for spelled, mayBeEmpty := range clusteringTypes {
		for _, direction := range []string{"ASC", "DESC"} {
			n++
			table := fmt.Sprintf("%s.t%d", ks, n)
			t.Run(spelled+" "+direction, func(t *testing.T) {
				typ, err := codec.Parse(spelled, func(string) (*codec.Type, error) {
					return &codec.Type{Kind: codec.UDT, Keyspace: ks, Name: "udt", Fields: []codec.Field{
						{Name: "a", Type: &codec.Type{Kind: codec.Int}}, {Name: "b", Type: &codec.Type{Kind: codec.Text}}, {Name: "c", Type: &codec.Type{Kind: codec.Decimal}},
					}}, nil
				})
				require.NoError(t, err)
				exec(t, session, "CREATE TABLE %s (p int, c %s, n int, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c %s)", table, spelled, direction)
				all := insertRandom(t, session, table, typ, mayBeEmpty)
				compare, err := keyorder.Of(typ)
				require.NoError(t, err)
				inOrder := func(a, b []byte) int {
					if direction == "DESC" {
						return compare(b, a)
					}
					return compare(a, b)
				}
				var got [][]byte
				_, err = source.Query[rxcql.Row](session, "SELECT c FROM "+table+" WHERE p = 1", source.PageRows(7)).ForEach(t.Context(), func(r rxcql.Row) error {
					got = append(got, r.Clone().Bytes(0))
					return nil
				})
				require.NoError(t, err)
				for i := 1; i < len(got); i++ {
					require.Negative(t, inOrder(got[i-1], got[i]), "%x and %x", got[i-1], got[i])
				}
				slices.SortFunc(all, inOrder)
				all = slices.CompactFunc(all, func(a, b []byte) bool { return inOrder(a, b) == 0 })
				require.Len(t, got, len(all), "values that are one are one row")
				for i := range all {
					require.Zero(t, inOrder(all[i], got[i]))
				}
			})
		}
	}
}

// insertRandom inserts rows of random values, and returns those that the server took.
func insertRandom(t *testing.T, session *gocql.Session, table string, typ *codec.Type, mayBeEmpty bool) (all [][]byte) {
	random := values{rand.New(rand.NewPCG(uint64(len(table)), 9))}
	batch := session.NewBatch(gocql.UnloggedBatch)
	for i := range 150 {
		value := random.of(typ)
		if mayBeEmpty && i == 20 {
			value = []byte{}
		}
		all = append(all, value)
		if typ.Kind == codec.Tuple { // which the driver cannot bind to one marker
			var args []any
			for rest := value; len(rest) > 0; {
				length := int32(binary.BigEndian.Uint32(rest))
				if rest = rest[4:]; length < 0 {
					args = append(args, nil)
					continue
				}
				args = append(args, asSent(rest[:length]))
				rest = rest[length:]
			}
			batch.Query("INSERT INTO "+table+" (p, c, n) VALUES (1, (?, ?, ?), ?)", append(args, i)...)
		} else {
			batch.Query("INSERT INTO "+table+" (p, c, n) VALUES (1, ?, ?)", asSent(value), i)
		}
	}
	require.NoError(t, session.ExecuteBatch(batch), "values that the server refuses are none of the type")
	return all
}

// Rows of a table that is read by token ranges are in the order of package keyorder as a whole.
func TestRowsOfARangeComeInTheOrderThatIsKnown(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.t (a int, b text, c decimal, d boolean, PRIMARY KEY ((a, b), c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC)", ks)
	for i := range 300 {
		require.NoError(t, session.Query("INSERT INTO "+ks+".t (a, b, c, d) VALUES (?, ?, ?, ?)", i%40, fmt.Sprint(i%3),
			asSent{0, 0, 0, byte(i % 5), byte(i)}, i%2 == 0).Exec())
	}
	order, err := keyorder.New(2, keyorder.Clustering{Name: "c", Type: &codec.Type{Kind: codec.Decimal}, Descending: true},
		keyorder.Clustering{Name: "d", Type: &codec.Type{Kind: codec.Boolean}})
	require.NoError(t, err)
	var last *keyorder.Key
	rows := 0
	_, err = source.Table[rxcql.Row](session, ks+".t", source.Columns("a", "b", "c", "d"), source.Splits(1)).ForEach(t.Context(), func(r rxcql.Row) error {
		r = r.Clone()
		key := &keyorder.Key{Cells: [][]byte{r.Bytes(0), r.Bytes(1), r.Bytes(2), r.Bytes(3)}}
		if last != nil {
			require.Equal(t, -1, cmp.Compare(order.Compare(last, key), 0))
		}
		last = key
		rows++
		return nil
	}, rxcql.WithWorkers(1))
	require.NoError(t, err)
	require.Greater(t, rows, 200)
}
