package verbs_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// repaired repairs shop.u from shop.t, by a diff.
func (b *bench) repaired(code int, diff string, args ...string) ended {
	b.t.Helper()
	return b.ends(code, append([]string{"repair", "--to", "shop.u", "--from", diff, "--out", filepath.Join(b.t.TempDir(), "repair")}, args...)...)
}

func TestRepairSettlesTiesOnlyWithBump(t *testing.T) {
	b := newBench(t, "t (id int PRIMARY KEY, v int)", "u (id int PRIMARY KEY, v int)")
	b.server.Exec("INSERT INTO shop.t (id, v) VALUES (1, 1) USING TIMESTAMP 1000", "INSERT INTO shop.u (id, v) VALUES (1, 2) USING TIMESTAMP 1000")
	got, diff := b.compare(3, "--times")
	require.Contains(t, got.out, "1 tie")
	got = b.repaired(3, diff, "--times")
	require.Contains(t, got.out, "1 left as they are")
	require.Equal(t, []string{"1,2"}, b.all("shop.u"))
	b.repaired(0, diff, "--times", "--bump")
	require.Equal(t, []string{"1,1,1001,"}, b.all("shop.u", "--times"))
}

func TestRepairDeletesOnlyWithDeleteExtraAtTheTimeThatItRead(t *testing.T) {
	b := newBench(t, "t (id int PRIMARY KEY, v int)", "u (id int PRIMARY KEY, v int)")
	b.server.Exec("UPDATE shop.u USING TIMESTAMP 1000 SET v = 2 WHERE id = 1")
	_, diff := b.compare(3)
	b.repaired(3, diff)
	require.Equal(t, []string{"1,2"}, b.all("shop.u"))
	b.repaired(0, diff, "--delete-extra")
	require.Equal(t, []string{""}, b.all("shop.u"))
	b.server.Exec("UPDATE shop.u USING TIMESTAMP 1001 SET v = 3 WHERE id = 1")
	require.Equal(t, []string{"1,3"}, b.all("shop.u"), "what is later stays")
}

func TestRepairTakesAFileOfKeysAndRanges(t *testing.T) {
	b := newBench(t, "t (id int PRIMARY KEY, v int)", "u (id int PRIMARY KEY, v int)")
	b.server.Exec("INSERT INTO shop.t (id, v) VALUES (1, 1)", "INSERT INTO shop.t (id, v) VALUES (2, 2)", "INSERT INTO shop.t (id, v) VALUES (3, 3)")
	by := func(name, text string) {
		b.ends(0, "repair", "shop.t", "--to", "shop.u", "--file", b.file(name, text), "--out", filepath.Join(b.folder, "repair "+name))
	}
	by("keys.ndjson", `{"key":{"id":1}}`+"\n"+`{"key":{"id":3}}`+"\n")
	require.Equal(t, []string{"1,1", "3,3"}, b.all("shop.u"))
	by("ranges.ndjson", `{"range":[-9223372036854775808,9223372036854775807]}`+"\n")
	require.Equal(t, []string{"1,1", "2,2", "3,3"}, b.all("shop.u"))
	got := b.ends(2, "repair", "--to", "shop.u", "--file", b.file("none", ""), "--out", filepath.Join(b.folder, "none"))
	require.Contains(t, got.err, "--file: name the table")
}

func TestRepairOfTimesThatCannotBeReadIsRefusedUnlessItIsToldToGoOn(t *testing.T) {
	b := newBench(t, "t (id int PRIMARY KEY, v int, s set<int>)", "u (id int PRIMARY KEY, v int, s set<int>)")
	b.server.Exec("INSERT INTO shop.t (id, v) VALUES (1, 1) USING TIMESTAMP 1000")
	b.older()
	args := []string{"repair", "shop.t", "--to", "shop.u", "--file", b.file("keys", `{"key":{"id":1}}`+"\n"), "--out", filepath.Join(b.folder, "repair")}
	got := b.ends(1, args...)
	require.Contains(t, got.out, "give --lossy")
	require.Equal(t, []string{""}, b.all("shop.u"))
	b.ends(0, append(args, "--lossy")...)
	require.Equal(t, []string{"1,,1"}, b.all("shop.u"))
}
