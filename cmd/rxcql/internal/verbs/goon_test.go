package verbs_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/connect"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/verbs"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// saysNoMore requires that a run was refused, and that it does not say how to go on.
func saysNoMore(t *testing.T, got ended, what string) {
	t.Helper()
	require.Equal(t, 1, got.code, "%s: %s%s", what, got.out, got.err)
	for _, text := range []string{"the run goes on", "begins anew;", "begins anew:", "it would go on"} {
		require.NotContains(t, got.out+got.err, text, what)
	}
}

// failsAfter has a server refuse writes to a table after so many.
func failsAfter(server *cqlfake.Server, table string, most int64) (stop func()) {
	var n atomic.Int64
	return server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Writes(table) && n.Add(1) > most {
			return cqlfake.Fail(&message.Invalid{ErrorMessage: "not this one"})
		}
		return nil
	})
}

func TestARunThatTheSameCommandCannotGoOnWithDoesNotSaySo(t *testing.T) {
	b := newBench(t)
	ck := t.TempDir()
	bad := b.file("in.csv", "id,v\n1,a\nx,b\n")
	got := b.load(bad, "--checkpoint", ck)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "the run goes on with the same command: rxcql load")
	saysNoMore(t, b.load(bad, "--checkpoint", ck, "--nulls-delete"), "a checkpoint of other flags")
	for _, more := range [][]string{nil, {"--checkpoint", t.TempDir()}} {
		saysNoMore(t, b.load(bad+"x", more...), "no such file")
	}
	typo := b.file("typo.csv", "id,v,ttl\n1,a,100\n2,b,100\nx,c,100\n")
	again := t.TempDir()
	for range 2 {
		saysNoMore(t, b.load(typo, "--ttl-column", "tll", "--ignore-columns", "--max-errors", "9", "--checkpoint", again), "a column that is not there")
	}
	for _, out := range []string{"d", "d.csv", "d-%05d.csv"} {
		out = filepath.Join(b.folder, out)
		require.Zero(t, b.rxcql("unload", "shop.orders", "--out", out).code)
		for _, more := range [][]string{nil, {"--checkpoint", t.TempDir()}} {
			saysNoMore(t, b.rxcql(append([]string{"unload", "shop.orders", "--out", out}, more...)...), "files in the way")
		}
	}
}

func TestARunThatWasRefusedAfterAnEarlierOneHadBegunSaysHowToGoOn(t *testing.T) {
	server, host := shop(t)
	archive(server, "archive")
	ck := t.TempDir()
	args := []string{"copy", "shop.orders", "--to", "archive", "--hosts", host, "--progress", "none", "--checkpoint", ck, "--retry-time", "0", "--workers", "1"}
	for kept := []string(nil); len(kept) == 0; { // what is settled when a write fails is not the same each time
		stop := failsAfter(server, "archive.orders", 50)
		require.Equal(t, 1, rxcql(t, args...).code)
		stop()
		var err error
		kept, err = filepath.Glob(filepath.Join(ck, "*.checkpoint"))
		require.NoError(t, err)
	}
	server.Exec("ALTER TABLE shop.orders ADD w text")
	got := rxcql(t, args...)
	require.Equal(t, 1, got.code, got.out)
	require.Contains(t, got.out, "0 rows read")
	require.Contains(t, got.out, "the run goes on with the same command: rxcql copy")
}

func TestACopyOfCountersThatWasInterruptedBeginsAnewOnceItsTargetIsEmpty(t *testing.T) {
	for _, more := range [][]string{nil, {"--checkpoint", t.TempDir()}} {
		b := newBench(t, "c (id int PRIMARY KEY, n counter)", "d (id int PRIMARY KEY, n counter)")
		for i := range 50 {
			b.server.Exec(fmt.Sprintf("UPDATE shop.c SET n = n + 5 WHERE id = %d", i))
		}
		args := append([]string{"copy", "shop.c", "--to", "shop.d", "--counters", "--retry-time", "0"}, more...)
		stop := failsAfter(b.server, "shop.d", 3)
		got := b.rxcql(args...)
		stop()
		require.Equal(t, 1, got.code)
		require.NotContains(t, got.out, "the run goes on")
		require.NotContains(t, got.out, "--checkpoint FOLDER")
		require.Contains(t, got.out, "empty the target of shop.c first (TRUNCATE); then the ")
		saysNoMore(t, b.rxcql(args...), "the target has rows")
		b.server.Exec("TRUNCATE shop.d")
		require.Zero(t, b.rxcql(args...).code, "as it was said")
	}
}

func TestTheCommandThatGoesOnIsWithoutRestartHoweverItWasSpelled(t *testing.T) {
	b := newBench(t)
	path := b.file("in.csv", "id,v\n1,a\nx,b\n")
	for _, restart := range []string{"--restart", "--restart=true", "--restart=1", "--restart=T"} {
		ck := t.TempDir()
		got := b.load(path, restart, "--null", "--restart", "--checkpoint", ck)
		require.Equal(t, 1, got.code, got.err)
		require.Contains(t, got.out, "without --restart: rxcql load "+path+" --into shop.orders --null --restart --checkpoint "+ck+" --hosts ", restart)
	}
	got := b.load(path, "--restart=false", "--null", "--restart", "--checkpoint", t.TempDir())
	require.Contains(t, got.out, "the same command: rxcql load "+path+" --into shop.orders --restart=false --null --restart --checkpoint ")
}

func TestARunWithAStandardStreamIsNotToldOfACheckpoint(t *testing.T) {
	b := newBench(t)
	var out, errs bytes.Buffer
	p := &verbs.Program{
		In: strings.NewReader("id,v\n1,a\nx,b\n"), Out: &out, Err: &errs,
		Args:   []string{"load", "-", "--into", "shop.orders", "--hosts", b.host, "--progress", "none"},
		Getenv: func(string) string { return "" },
		Ask:    func(string) (string, error) { return "", connect.ErrNoTerminal },
	}
	require.Equal(t, 1, p.Run(context.Background(), nil))
	require.NotContains(t, out.String(), "--checkpoint")
	require.Contains(t, out.String(), "the next run begins anew: one with standard input cannot go on")

	server, host := shop(t)
	failing(server, "shop.orders")
	got := rxcql(t, "unload", "shop.orders", "--out", "-", "--hosts", host, "--progress", "none", "--retry-time", "0")
	require.Equal(t, 1, got.code)
	require.NotContains(t, got.err, "--checkpoint")
	require.Contains(t, got.err, "the next run begins anew: one with standard output cannot go on")
}

func TestAnUnloadThatBeginsAnewIsToldOfTheFilesThatAreThere(t *testing.T) {
	server, host := shop(t)
	args := []string{"unload", "shop", "--out", filepath.Join(t.TempDir(), "dump"), "--hosts", host, "--progress", "none", "--retry-time", "0"}
	stop := failing(server, "shop.orders")
	got := rxcql(t, args...)
	stop()
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "the next run begins anew, and needs --replace where this one has left files; with --checkpoint FOLDER it would go on")
	saysNoMore(t, rxcql(t, args...), "files in the way")
	require.Zero(t, rxcql(t, append(args, "--replace")...).code, "as it was said")
}

func TestAFolderWhoseNameLooksLikeAPatternIsTheFolderOfThatName(t *testing.T) {
	for _, name := range []string{"dump", "dump[1]", "d*p", `d\[`, "[", "%d"} {
		server, host := shop(t)
		dump := filepath.Join(t.TempDir(), name)
		args := []string{"unload", "shop", "--out", dump, "--hosts", host, "--progress", "none", "--retry-time", "0", "--checkpoint", t.TempDir()}
		stop := failing(server, "shop.orders")
		require.Equal(t, 1, rxcql(t, args...).code, name)
		stop()
		folder := filepath.Join(dump, "shop.stock")
		require.NoError(t, os.Remove(filepath.Join(folder, "stock-00000.csv")))
		got := rxcql(t, args...)
		require.Equal(t, 1, got.code, "%s: %s", name, got.out)
		require.Contains(t, got.out, "stock-00000.csv is gone", name)
	}
	for _, out := range []string{"d[1]", "d[1].csv", "[a-%05d.csv"} {
		b := newBench(t)
		b.server.Exec("INSERT INTO shop.orders (id, v) VALUES (1, 'x')")
		out = filepath.Join(b.folder, out)
		require.Zero(t, b.rxcql("unload", "shop.orders", "--out", out).code, out)
		got := b.rxcql("unload", "shop.orders", "--out", out, "--dry-run")
		require.Equal(t, 1, got.code, "%s: %s", out, got.out)
		require.Contains(t, got.err, "is there: give --replace", out)
		b.server.Exec("TRUNCATE shop.orders")
		got = b.load(out, "--checkpoint", t.TempDir())
		require.Zero(t, got.code, "%s: %s", out, got.out)
		require.Equal(t, []string{"1,x,"}, b.rows(), out)
	}
}
