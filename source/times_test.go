package source_test

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestExpiriesAreCountedFromWhenThePageWasAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t)
		server.Keyspace("ks", `t (p int, c int, a text, "Mixed" text, s text static, f frozen<list<int>>, PRIMARY KEY (p, c))`)
		session := server.Session("ks")
		expires := time.Now().Unix() + 1000
		server.Exec("INSERT INTO ks.t (p, c, a, f) VALUES (1, 1, 'x', [1]) USING TIMESTAMP 55 AND TTL 1000",
			`INSERT INTO ks.t (p, c, "Mixed", s) VALUES (1, 1, 'y', 'z') USING TIMESTAMP 66`)
		time.Sleep(100 * time.Second)
		server.ControlOnce(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Reads("ks.t") { // the page is asked for again, seconds later
				return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"}).After(9 * time.Second)
			}
			return nil
		})
		in := source.Table[rxcql.Row](session, "ks.t", source.Times(), source.Columns("a", "Mixed", "s", "f", "c", "p"))
		rows, err := in.Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 1)
		var names []string
		for _, c := range rows[0].Columns().List() {
			names = append(names, c.Name)
		}
		require.Equal(t, []string{"a", "Mixed", "s", "f", "c", "p", "writetime(a)", "expires(a)", "writetime(Mixed)", "expires(Mixed)",
			"writetime(s)", "expires(s)", "writetime(f)", "expires(f)"}, names)
		for name, want := range map[string]any{
			"writetime(a)": int64(55), "expires(a)": expires, "writetime(Mixed)": int64(66), "expires(Mixed)": nil,
			"writetime(s)": int64(66), "expires(s)": nil, "writetime(f)": int64(55), "expires(f)": expires,
		} {
			got, err := rxcql.Value[*int64](rows[0], name)
			require.NoError(t, err)
			if want == nil {
				require.Nil(t, got, name)
			} else {
				require.Equal(t, want, *got, name)
			}
		}
	})
}

func TestARowIsCopiedWithItsTimesAndGoesWithItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t)
		const columns = " (p int PRIMARY KEY, a text, b text)"
		server.Keyspace("ks", "src"+columns)
		server.Exec("CREATE TABLE ks.dst"+columns+" WITH default_time_to_live = 50",
			"INSERT INTO ks.src (p, a) VALUES (1, 'x') USING TIMESTAMP 55 AND TTL 1000", "INSERT INTO ks.src (p, b) VALUES (1, 'y') USING TIMESTAMP 44",
			"INSERT INTO ks.src (p, a) VALUES (2, 'gone') USING TIMESTAMP 55 AND TTL 300")
		session := server.Session("ks")
		slow := operators.Tap(source.Table[rxcql.Row](session, "ks.src", source.Times()), func(rxcql.Row) error {
			time.Sleep(200 * time.Second)
			return nil
		})
		counts := new(sink.TimesCounts)
		_, err := rxcql.Run(t.Context(), slow, sink.Table[rxcql.Row](session, "ks.dst", sink.Times(sink.CountTimes(counts))),
			rxcql.WithWorkers(1)) // the row that expires is the second
		require.NoError(t, err)
		require.EqualValues(t, 1, counts.Report().Expired)
		pairs := source.TablePair[rxcql.Row, rxcql.Row](session, "ks.src", session, "ks.dst", source.Times())
		for _, left := range []int{1, 1, 1} {
			got, err := pairs.Collect(t.Context())
			require.NoError(t, err)
			require.Len(t, got, left)
			require.True(t, got[0].Both())
			for i := range got[0].Left.Len() {
				require.Equal(t, got[0].Left.Bytes(i), got[0].Right.Bytes(i), got[0].Left.Columns().List()[i].Name)
			}
			time.Sleep(500 * time.Second) // beyond the default of the table, and then beyond the expiry
		}
	})
}

func TestServersBeforeCassandra5AreNotAskedForTimesOfElements(t *testing.T) {
	parse := func(typ string) *codec.Type {
		parsed, err := codec.Parse(typ, nil)
		require.NoError(t, err)
		return parsed
	}
	about := &schema.Table{Columns: []schema.Column{
		{Name: "p", Kind: schema.PartitionKey, Type: parse("int")}, {Name: "A", Kind: schema.Regular, Type: parse("text")},
		{Name: "m", Kind: schema.Static, Type: parse("map<int, text>")}, {Name: "f", Kind: schema.Regular, Type: parse("frozen<set<int>>")},
	}}
	scalar := []string{`WRITETIME("A") AS "writetime(A)"`, `TTL("A") AS "expires(A)"`, `WRITETIME("f") AS "writetime(f)"`, `TTL("f") AS "expires(f)"`}
	got, err := source.TimeTerms(about, []string{"p", "A", "m", "f"}, false)
	require.NoError(t, err)
	require.Equal(t, scalar, got)
	got, err = source.TimeTerms(about, []string{"p", "m"}, true)
	require.NoError(t, err)
	require.Equal(t, []string{`WRITETIME("m") AS "writetime(m)"`, `TTL("m") AS "expires(m)"`}, got)
	about.Columns = append(about.Columns, schema.Column{Name: "expires(A)", Kind: schema.Regular, Type: parse("int")})
	_, err = source.TimeTerms(about, []string{"p", "A", "expires(A)"}, true)
	require.ErrorContains(t, err, `the table has a column "expires(A)"`)
}

func TestExpiriesOfElementsKeepTheirPlace(t *testing.T) {
	list := func(size int, values ...any) (b []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(values)))
		for _, v := range values {
			switch v := v.(type) {
			case nil:
				b = binary.BigEndian.AppendUint32(b, 0xFFFFFFFF)
			case int:
				b = binary.BigEndian.AppendUint32(b, uint32(size))
				if size == 8 {
					b = binary.BigEndian.AppendUint64(b, uint64(v))
				} else {
					b = binary.BigEndian.AppendUint32(b, uint32(v))
				}
			}
		}
		return b
	}
	got, err := source.ExpiryOf(list(4, 5, nil, 7), true, 1000)
	require.NoError(t, err)
	require.Equal(t, list(8, 1005, nil, 1007), got)
	got, err = source.ExpiryOf(list(4), true, 1000)
	require.NoError(t, err)
	require.Equal(t, list(8), got)
	got, err = source.ExpiryOf(nil, true, 1000)
	require.NoError(t, err)
	require.Nil(t, got)
	for _, wrong := range [][]byte{{}, {1}, list(8, 5), list(4, 5)[:9], append(list(4, 5), 0), {0xFF, 0xFF, 0xFF, 0xFF}} {
		_, err = source.ExpiryOf(wrong, true, 1000)
		require.Error(t, err)
	}
	_, err = source.ExpiryOf([]byte{1, 2}, false, 1000)
	require.Error(t, err)
}

func TestTimesNeedRowsThatHaveRoomForThem(t *testing.T) {
	type row struct {
		A string `cql:"a"`
	}
	_, err := source.Table[row](nil, "ks.t", source.Times()).Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "Times: rows must be rxcql.Row")
}
