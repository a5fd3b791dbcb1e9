package sink_test

import (
	"encoding/binary"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/droptest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type twoValues struct {
	P int    `cql:"p"`
	V string `cql:"v"`
	W string `cql:"w"`
}

// asRows writes some columns of rows. Each value is the name of its column; all have one write
// time, and no expiry.
func asRows(to rxcql.Sink[rxcql.Row], names ...string) rxcql.Sink[twoValues] {
	var columns []rxcql.Column
	for _, name := range names {
		kind := codec.Text
		switch {
		case name == "p":
			kind = codec.Int
		case strings.Contains(name, "("):
			kind = codec.Bigint
		}
		columns = append(columns, rxcql.Column{Name: name, Type: &codec.Type{Kind: kind}})
	}
	shape := rxcql.NewColumns(columns)
	return sink.Through(func(in rxcql.Stream[twoValues]) rxcql.Stream[rxcql.Row] {
		return operators.Map(in, func(r twoValues) (rxcql.Row, error) {
			cells := make([][]byte, len(columns))
			for i, c := range columns {
				switch {
				case c.Name == "p":
					cells[i] = binary.BigEndian.AppendUint32(nil, uint32(r.P))
				case strings.HasPrefix(c.Name, "writetime("):
					cells[i] = binary.BigEndian.AppendUint64(nil, 1<<48)
				case c.Type.Kind == codec.Text:
					cells[i] = []byte(c.Name)
				}
			}
			return rxcql.NewRow(shape, cells), nil
		})
	}, to)
}

func TestAColumnThatIsDroppedEndsARunThatWritesItThoughTheServerTakesItsValues(t *testing.T) {
	insert := func(session *gocql.Session, cql string) rxcql.Sink[twoValues] {
		return sink.Exec(session, cql, func(r twoValues) ([]any, error) { return []any{r.P, r.V}, nil })
	}
	for name, tc := range map[string]struct {
		sink   func(*gocql.Session) rxcql.Sink[twoValues]
		writes bool
	}{
		"Table": {func(s *gocql.Session) rxcql.Sink[twoValues] { return sink.Table[twoValues](s, "ks.t") }, true},
		"Table, rows": {func(s *gocql.Session) rxcql.Sink[twoValues] {
			return asRows(sink.Table[rxcql.Row](s, "ks.t"), "p", "v", "w")
		}, true},
		"Table, others": {func(s *gocql.Session) rxcql.Sink[twoValues] {
			return asRows(sink.Table[rxcql.Row](s, "ks.t"), "p", "w")
		}, false},
		"Table, times": {func(s *gocql.Session) rxcql.Sink[twoValues] {
			return asRows(sink.Table[rxcql.Row](s, "ks.t", sink.Times()), "p", "v", "writetime(v)", "expires(v)")
		}, true},
		"Table, deletes": {func(s *gocql.Session) rxcql.Sink[twoValues] { return sink.Table[twoValues](s, "ks.t", sink.Delete()) }, false},
		"Exec": {func(s *gocql.Session) rxcql.Sink[twoValues] {
			return insert(s, "INSERT INTO ks.t (p, v) VALUES (?, ?)")
		}, true},
		"Exec, of others": {func(s *gocql.Session) rxcql.Sink[twoValues] {
			return insert(s, "INSERT INTO ks.t (p, w) VALUES (?, ?)")
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var gone atomic.Bool
				server := cqlfake.New(t)
				server.Keyspace("ks", "t (p int PRIMARY KEY, v text, w text)")
				droptest.Column(t, server, "t", "v", func(*cqlfake.Request) bool { return gone.Load() })
				session, err := server.Cluster().CreateSession()
				require.NoError(t, err)
				defer cqlfake.CloseSession(session)
				rows := source.Seq(func(yield func(twoValues, error) bool) {
					for i := range 100 {
						if i == 50 {
							gone.Store(true)
						}
						if !yield(twoValues{i, "v", "w"}, nil) {
							return
						}
					}
				}, source.PageRows(10))
				_, err = rxcql.Run(t.Context(), rows, tc.sink(session))
				if !tc.writes {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, rxcql.ErrSchema)
				require.ErrorContains(t, err, `column "v" of table "ks"."t" was dropped while it was written`)
			})
		})
	}
}
