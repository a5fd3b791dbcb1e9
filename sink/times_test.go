package sink_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
)

// given is a column of a row that a test makes; v is nil for null.
type given struct {
	name, typ string
	v         any
}

// encoded is a value that is encoded already. The elements of a Go map come in another order each
// time that it is.
type encoded []byte

func rowOf(cells ...given) rxcql.Row {
	cols, bytes := make([]rxcql.Column, len(cells)), make([][]byte, len(cells))
	for i, c := range cells {
		cols[i] = rxcql.Column{Name: c.name, Type: column(c.name, schema.Regular, c.typ).Type}
		if c.v == nil {
			continue
		}
		if raw, is := c.v.(encoded); is {
			bytes[i] = raw
			continue
		}
		var known bool
		var err error
		if bytes[i], known, err = codec.EncodeValue(cols[i].Type, c.v); err != nil || !known {
			panic(err)
		}
	}
	return rxcql.NewRow(rxcql.NewColumns(cols), bytes)
}

// timedTable has columns of all kinds.
func timedTable() *schema.Table {
	return tableOf(column("p", schema.PartitionKey, "bigint"), column("c", schema.Clustering, "int"), column("s", schema.Static, "text"),
		column("a", schema.Regular, "text"), column("b", schema.Regular, "text"), column("l", schema.Regular, "list<int>"),
		column("m", schema.Regular, "map<int, text>"))
}

// key is the key of row c of partition 1.
func key(c int32, more ...given) []given {
	return append([]given{{"p", "bigint", int64(1)}, {"c", "int", c}}, more...)
}

// at is a column with its times; expires is nil for never.
func at(name, typ string, v any, time, expires any) []given {
	of := "bigint"
	if _, list := time.([]int64); list {
		of = "list<bigint>"
	}
	return []given{{name, typ, v}, {"writetime(" + name + ")", of, time}, {"expires(" + name + ")", of, expires}}
}

func joinCells(parts ...[]given) (all []given) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// timedRecorder is a server that keeps what it was sent.
type timedRecorder struct {
	mu     sync.Mutex
	sent   []sink.TimedSent
	refuse func(sink.TimedSent) error
}

func (r *timedRecorder) send(_ context.Context, s sink.TimedSent) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse != nil {
		if err := r.refuse(s); err != nil {
			return err
		}
	}
	r.sent = append(r.sent, s)
	return nil
}

func (r *timedRecorder) writes() (all []sink.TimedWrite) {
	for _, s := range r.sent {
		all = append(all, s.Writes...)
	}
	return all
}

// texts are what was written, without the table's name.
func (r *timedRecorder) texts() (all []string) {
	for _, w := range r.writes() {
		all = append(all, strings.ReplaceAll(strings.ReplaceAll(w.CQL, `"ks"."t" `, ""), `"`, ""))
	}
	return all
}

func writeTimed(t *testing.T, rows []rxcql.Row, opts ...sink.TimesOption) (*timedRecorder, sink.TimesReport) {
	t.Helper()
	server, counts := &timedRecorder{}, new(sink.TimesCounts)
	rep, err := run(t, sequence(rows...), sink.TableOnTimed(server.send, timedTable(), sink.Times(append(opts, sink.CountTimes(counts))...)))
	require.NoError(t, err)
	require.EqualValues(t, len(rows), rep.Written)
	return server, counts.Report()
}

const (
	insertAB = "INSERT INTO (p,c,a,b) VALUES (?,?,?,?) USING TIMESTAMP ? AND TTL ?"
	marker   = "INSERT INTO (p,c) VALUES (?,?) USING TIMESTAMP ? AND TTL ?"
)

func TestARowOfOneTimeIsOneInsertWithItsTime(t *testing.T) {
	server, counts := writeTimed(t, []rxcql.Row{rowOf(joinCells(key(1), at("a", "text", "A", int64(100), nil), at("b", "text", "B", int64(100), nil))...)})
	require.Equal(t, []string{insertAB}, server.texts())
	w := server.writes()[0]
	require.EqualValues(t, 100, w.Time)
	require.Zero(t, w.TTL)
	require.Equal(t, []any{[]byte{0, 0, 0, 0, 0, 0, 0, 1}, []byte{0, 0, 0, 1}, []byte("A"), []byte("B")}, w.Values)
	require.Equal(t, sink.TimesReport{GuessedMarkers: 1}, counts)
}

func TestValuesOfSeveralTimesGoInGroupsAndTheNewestOneIsTheInsert(t *testing.T) {
	server, _ := writeTimed(t, []rxcql.Row{rowOf(joinCells(key(1), at("a", "text", "A", int64(100), nil), at("b", "text", "B", int64(200), nil))...)})
	require.ElementsMatch(t, []string{"UPDATE USING TIMESTAMP ? AND TTL ? SET a=? WHERE p=? AND c=?", insertAB}, server.texts())
	for _, w := range server.writes() {
		if strings.Contains(w.CQL, "UPDATE") {
			require.EqualValues(t, 100, w.Time)
			require.Equal(t, []byte("A"), w.Values[0])
		} else {
			require.EqualValues(t, 200, w.Time)
			require.Equal(t, []any{sink.Unset{}, []byte("B")}, w.Values[2:])
		}
	}
}

func TestTheMarkerHasTheNewestTimeAndTheLatestExpiry(t *testing.T) {
	later := time.Now().Add(time.Hour).Unix()
	server, counts := writeTimed(t, []rxcql.Row{rowOf(joinCells(key(1), at("a", "text", "A", int64(100), nil), at("b", "text", "B", int64(200), later))...)})
	require.Len(t, server.writes(), 3)
	for _, w := range server.writes() {
		switch {
		case strings.Contains(w.CQL, "INSERT"):
			require.Len(t, w.Values, 2)
			require.EqualValues(t, 200, w.Time)
			require.Zero(t, w.TTL, "a value never expires")
		case w.Time == 200:
			require.InDelta(t, 3600, w.TTL, 60)
		default:
			require.Zero(t, w.TTL)
		}
	}
	require.EqualValues(t, 1, counts.GuessedMarkers)
}

func TestWithoutMarkersOnlyRowsWithoutValuesAreInserted(t *testing.T) {
	moment := time.UnixMicro(777)
	server, counts := writeTimed(t, []rxcql.Row{
		rowOf(joinCells(key(1), at("a", "text", "A", int64(100), nil))...),
		rowOf(joinCells(key(2), at("a", "text", nil, nil, nil))...),
	}, sink.Markers(sink.MarkersNone), sink.MarkerTime(moment))
	require.Equal(t, []string{"UPDATE USING TIMESTAMP ? AND TTL ? SET a=? WHERE p=? AND c=?", marker}, server.texts())
	require.EqualValues(t, 777, server.writes()[1].Time)
	require.Zero(t, server.writes()[1].TTL)
	require.Equal(t, sink.TimesReport{KeyOnlyRows: 1}, counts)
}

func TestARowWithoutValuesIsAsOldAsTheRunUnlessItIsSaid(t *testing.T) {
	start := time.Now().UnixMicro()
	server, _ := writeTimed(t, []rxcql.Row{rowOf(key(1)...)})
	require.Equal(t, []string{marker}, server.texts())
	require.GreaterOrEqual(t, server.writes()[0].Time, start)
	require.LessOrEqual(t, server.writes()[0].Time, time.Now().UnixMicro())
}

func TestElementsOfAMapAreAddedByTheirTimes(t *testing.T) {
	whole := bytesOf("map<int, text>", map[int32]string{1: "x", 2: "y", 3: "z"})
	server, _ := writeTimed(t, []rxcql.Row{rowOf(joinCells(key(1), at("m", "map<int, text>", encoded(whole), []int64{100, 200, 100}, nil))...)})
	added := map[int64][]byte{}
	for _, w := range server.writes() {
		if strings.Contains(w.CQL, "UPDATE") {
			require.Contains(t, w.CQL, `SET "m"="m"+?`)
			added[w.Time] = w.Values[0].([]byte)
		}
	}
	const one = 4 + 4 + 4 + 1 // a length and a key, a length and a value
	require.Equal(t, append([]byte{0, 0, 0, 2}, append(whole[4:4+one:4+one], whole[4+2*one:]...)...), added[100])
	require.Equal(t, append([]byte{0, 0, 0, 1}, whole[4+one:4+2*one]...), added[200])
	require.Len(t, added, 2)
}

func TestStaticColumnsAreWrittenOnceForManyRows(t *testing.T) {
	var rows []rxcql.Row
	for c := range int32(500) {
		rows = append(rows, rowOf(joinCells(key(c), at("s", "text", "S", int64(50), nil), at("a", "text", "A", int64(100), nil))...))
	}
	server, _ := writeTimed(t, rows)
	statics := 0
	for _, w := range server.writes() {
		if strings.Contains(w.CQL, `"s"`) {
			require.Equal(t, `UPDATE "ks"."t" USING TIMESTAMP ? AND TTL ? SET "s"=? WHERE "p"=?`, w.CQL)
			require.EqualValues(t, 50, w.Time)
			statics++
		}
	}
	require.Equal(t, 1, statics)
	require.Len(t, server.writes(), 501)
}

func TestAPartitionOfStaticColumnsOnlyIsWritten(t *testing.T) {
	row := rowOf(joinCells([]given{{"p", "bigint", int64(1)}, {"c", "int", nil}}, at("s", "text", "S", int64(50), nil), at("a", "text", nil, nil, nil))...)
	server, counts := writeTimed(t, []rxcql.Row{row})
	require.Equal(t, []string{"UPDATE USING TIMESTAMP ? AND TTL ? SET s=? WHERE p=?"}, server.texts())
	require.Equal(t, sink.TimesReport{}, counts)
}

func bytesOf(typ string, v any) []byte {
	b, _, err := codec.EncodeValue(column("x", schema.Regular, typ).Type, v)
	if err != nil {
		panic(err)
	}
	return b
}
