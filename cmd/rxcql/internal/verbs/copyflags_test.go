package verbs_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// all are the rows of a table, as lines of CSV, sorted.
func (b *bench) all(table string, args ...string) []string {
	b.t.Helper()
	got := b.rxcql(append([]string{"unload", table, "--out", "-", "--header", "no"}, args...)...)
	require.Zero(b.t, got.code, got.err)
	lines := strings.Split(strings.TrimSuffix(got.out, "\n"), "\n")
	slices.Sort(lines)
	return lines
}

func (b *bench) ends(code int, args ...string) ended {
	b.t.Helper()
	got := b.rxcql(args...)
	require.Equal(b.t, code, got.code, "%v: %s%s", args, got.out, got.err)
	return got
}

// older has the server say that it is of version 4.1, which does not tell the times of elements.
func (b *bench) older() {
	text := func(name, value string) (*message.ColumnMetadata, message.Column) {
		return &message.ColumnMetadata{Keyspace: "system", Table: "local", Name: name, Type: datatype.Varchar}, message.Column(value)
	}
	says := map[string]string{
		"partitioner": "org.apache.cassandra.dht.Murmur3Partitioner", "release_version": "4.1.5", "cluster_name": "cqlfake",
		"data_center": "datacenter1", "host_id": "0123456789abcdef", "tokens": "\x00\x00\x00\x01\x00\x00\x00\x010",
	}
	b.server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		selected, asks := strings.CutPrefix(r.Statements[0].CQL, "SELECT ")
		selected, _, of := strings.Cut(selected, " FROM system.local")
		if !asks || !of || r.Kind == cqlfake.Prepare || says[strings.Split(selected, ", ")[0]] == "" {
			return nil
		}
		answer, row := &message.RowsResult{Metadata: &message.RowsMetadata{}}, message.Row{}
		for _, name := range strings.Split(selected, ", ") {
			about, value := text(name, says[name])
			answer.Metadata.Columns, row = append(answer.Metadata.Columns, about), append(row, value)
		}
		answer.Metadata.ColumnCount, answer.Data = int32(len(row)), message.RowSet{row} //nolint:gosec // a few
		return cqlfake.Answer(answer)
	})
}

func TestCopyRenamesColumns(t *testing.T) {
	b := newBench(t, "t (id int PRIMARY KEY, euros int, note text)", "u (id int PRIMARY KEY, amount int, text text)")
	b.server.Exec("INSERT INTO shop.t (id, euros, note) VALUES (1, 5, 'x')")
	b.ends(1, "copy", "shop.t", "--to", "shop.u")
	b.ends(0, "copy", "shop.t", "--to", "shop.u", "--rename", "euros=amount", "--rename", "note=text")
	require.Equal(t, []string{"1,5,x"}, b.all("shop.u"))
	b.ends(2, "copy", "shop.t", "--to", "shop.u", "--rename", "euros")
}

func TestCopyGivesRowsAMarkerUnlessItIsToldNotTo(t *testing.T) {
	b := newBench(t, "t (id int PRIMARY KEY, v int)", "u (id int PRIMARY KEY, v int)")
	b.server.Exec("INSERT INTO shop.t (id, v) VALUES (1, 5) USING TIMESTAMP 1000")
	for markers, want := range map[string]string{"guessed": "1,", "none": ""} {
		b.server.Exec("TRUNCATE shop.u")
		b.ends(0, "copy", "shop.t", "--to", "shop.u", "--times", "--markers", markers)
		b.server.Exec("DELETE v FROM shop.u WHERE id = 1")
		require.Equal(t, []string{want}, b.all("shop.u"), "a row without a marker ends with its last value: %s", markers)
	}
	b.ends(2, "copy", "shop.t", "--to", "shop.u", "--times", "--markers", "some")
	b.ends(2, "copy", "shop.t", "--to", "shop.u", "--markers", "none")
}

func TestCopyWritesRowsOfKeysAloneAtTheTimeOfMarkerTime(t *testing.T) {
	b := newBench(t, "t (id int PRIMARY KEY, v int)", "u (id int PRIMARY KEY, v int)")
	b.server.Exec("INSERT INTO shop.t (id) VALUES (1)", "DELETE FROM shop.u USING TIMESTAMP 1009843200000000 WHERE id = 1") // 2002
	b.ends(0, "copy", "shop.t", "--to", "shop.u", "--times", "--marker-time", "2001-02-03T04:05:06Z")
	require.Equal(t, []string{""}, b.all("shop.u"), "the deletion is newer")
	b.ends(0, "copy", "shop.t", "--to", "shop.u", "--times", "--marker-time", "2003-02-03T04:05:06Z")
	require.Equal(t, []string{"1,"}, b.all("shop.u"))
	b.ends(2, "copy", "shop.t", "--to", "shop.u", "--times", "--marker-time", "yesterday")
}

func TestCopyWithTimesThatCannotBeReadIsRefusedUnlessItIsToldToGoOn(t *testing.T) {
	b := newBench(t, "t (id int PRIMARY KEY, s set<int>, v int)", "u (id int PRIMARY KEY, s set<int>, v int)")
	b.server.Exec("INSERT INTO shop.t (id, v) VALUES (1, 5)")
	b.older()
	got := b.ends(1, "copy", "shop.t", "--to", "shop.u", "--times")
	require.Contains(t, got.out, "give --lossy")
	require.Equal(t, []string{""}, b.all("shop.u"))
	got = b.ends(0, "copy", "shop.t", "--to", "shop.u", "--times", "--lossy")
	require.Contains(t, got.out, `lossy: column "s"`)
	require.Equal(t, []string{"1,,5"}, b.all("shop.u"))
}
