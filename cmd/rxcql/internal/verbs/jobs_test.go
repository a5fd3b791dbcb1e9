package verbs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// of returns what the report says of a table.
func (r report) of(t *testing.T, table string) (status, anew, failed string, earlier bool) {
	t.Helper()
	for _, each := range r.Tables {
		if each.Table == table {
			return each.Status, each.Anew, each.Error, each.Earlier
		}
	}
	require.Fail(t, "not in the report", table)
	return "", "", "", false
}

// archive makes an empty copy of the tables of a shop.
func archive(server *cqlfake.Server, name string) {
	server.Keyspace(name, "orders (id int PRIMARY KEY, v text)", "stock (id int PRIMARY KEY, v text)", `"Odd" (id int PRIMARY KEY, v text)`)
}

// failing lets reads or writes of a table fail, until stop.
func failing(server *cqlfake.Server, table string) (stop func()) {
	return server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Reads(table) || r.Writes(table) {
			return cqlfake.Fail(&message.Invalid{ErrorMessage: "not this one"})
		}
		return nil
	})
}

// A run of three tables, of which orders fails. What has become of the target of stock meanwhile is
// seen by the run that goes on: it never says that stock is done while its rows are not there.
func TestATableThatIsDoneIsBegunAnewIfItsTargetIsNotWhatItWas(t *testing.T) {
	for name, c := range map[string]struct {
		change []string
		anew   string
	}{
		"nothing":             {nil, ""},
		"truncated":           {[]string{"TRUNCATE archive.stock"}, "the target archive.stock is empty now"},
		"rows deleted":        {deletes(100), "the target archive.stock is empty now"},
		"dropped":             {[]string{"DROP TABLE archive.stock"}, "the target archive.stock was dropped since"},
		"dropped, made again": {[]string{"DROP TABLE archive.stock", "CREATE TABLE archive.stock (id int PRIMARY KEY, v text)", "INSERT INTO archive.stock (id, v) VALUES (1, 'y')"}, "the target archive.stock was dropped since"},
	} {
		t.Run(name, func(t *testing.T) {
			server, host := shop(t)
			archive(server, "archive")
			args := []string{"copy", "shop", "--to", "archive", "--hosts", host, "--progress", "none", "--checkpoint", t.TempDir(), "--json", "-", "--retry-time", "0"}
			stop := failing(server, "shop.orders")
			require.Equal(t, 1, rxcql(t, args...).code)
			stop()
			server.Exec(c.change...)
			if name == "dropped" {
				got := rxcql(t, args...)
				require.Equal(t, 1, got.code, "it is not made without --create")
				return
			}
			got := rxcql(t, args...)
			require.Zero(t, got.code, got.err)
			status, anew, _, earlier := parsed(t, got.out).of(t, "shop.stock")
			require.Equal(t, "done", status)
			require.Equal(t, c.anew, anew)
			require.Equal(t, c.anew == "", earlier)
			for _, table := range []string{"orders", "stock", `"Odd"`} {
				require.EqualValues(t, 100, rowsOf(t, host, "archive."+table), table)
			}
		})
	}
}

func deletes(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("DELETE FROM archive.stock WHERE id = %d", i))
	}
	return all
}

func TestAFolderOfOtherClustersTablesOrFlagsIsRefused(t *testing.T) {
	server, host := shop(t)
	archive(server, "archive")
	elsewhere := archived(t)
	folder := t.TempDir()
	args := func(hosts string, more ...string) []string {
		return append([]string{"copy", "shop", "--hosts", hosts, "--progress", "none", "--checkpoint", folder, "--json", "-", "--retry-time", "0"}, more...)
	}
	stop := failing(server, "shop.orders")
	require.Equal(t, 1, rxcql(t, args(host, "--to", "archive")...).code)
	for what, other := range map[string][]string{
		"another cluster": args(host, "--to", "archive", "--target-hosts", elsewhere),
		"another job":     args(host, "--to", "archive", "--times"),
	} {
		got := rxcql(t, other...)
		require.Equal(t, 1, got.code)
		_, _, failed, earlier := parsed(t, got.out).of(t, "shop.stock")
		require.Contains(t, failed, what)
		require.Contains(t, failed, "--restart")
		require.False(t, earlier)
	}
	server.Exec("DROP TABLE shop.stock", "CREATE TABLE shop.stock (id int PRIMARY KEY, v text)")
	got := rxcql(t, args(host, "--to", "archive")...)
	require.Equal(t, 1, got.code)
	_, _, failed, _ := parsed(t, got.out).of(t, "shop.stock")
	require.Contains(t, failed, "the source shop.stock was dropped, and made again, since")
	stop()
	require.Zero(t, rxcql(t, args(host, "--to", "archive", "--restart")...).code)
}

// archived is another cluster of the same name, with the targets of the shop.
func archived(t *testing.T) (host string) {
	t.Helper()
	server := cqlfake.New(t, cqlfake.Loopback())
	archive(server, "archive")
	return fmt.Sprintf("%s:%d", server.Cluster().Hosts[0], server.Cluster().Port)
}

func TestARunAfterOneThatCameToItsEndDoesAllAnew(t *testing.T) {
	server, host := shop(t)
	archive(server, "archive")
	folder := t.TempDir()
	args := []string{"copy", "shop", "--to", "archive", "--hosts", host, "--progress", "none", "--checkpoint", folder, "--json", "-"}
	require.Zero(t, rxcql(t, args...).code)
	server.Exec("DELETE FROM archive.stock WHERE id = 7", "INSERT INTO shop.orders (id, v) VALUES (1000, 'later')")
	got := rxcql(t, args...)
	require.Zero(t, got.code, got.err)
	require.EqualValues(t, 301, parsed(t, got.out).Read)
	require.EqualValues(t, 100, rowsOf(t, host, "archive.stock"))
	require.EqualValues(t, 101, rowsOf(t, host, "archive.orders"))

	got = rxcql(t, "count", "shop", "--hosts", host, "--checkpoint", folder, "--json", "-")
	require.Zero(t, got.code, "the folder is free for another job: "+got.err)
	require.EqualValues(t, 301, parsed(t, got.out).Read)
}

func TestFilesThatChangeWhileALoadIsInterruptedAreLoadedAnew(t *testing.T) {
	server, host := shop(t)
	archive(server, "archive")
	dump, folder := t.TempDir(), t.TempDir()
	write := func(table, name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Join(dump, table), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dump, table, name), []byte(text), 0o600))
	}
	write("orders", "a.csv", "id,v\n1,a\n2,b\n")
	write("stock", "a.csv", "id,v\nx,a\n")
	args := []string{"load", dump, "--into", "archive", "--hosts", host, "--progress", "none", "--checkpoint", folder, "--json", "-"}
	require.Equal(t, 1, rxcql(t, args...).code, "a bad record of stock")

	for _, c := range []struct {
		name, text, anew string
		rows             int64
	}{
		{"", "", "", 2},
		{"b.csv", "id,v\n3,c\n", "b.csv is new", 3},
		{"a.csv", "id,v\n1,a\n2,b\n4,d\n", "a.csv has changed", 4},
	} {
		if c.name != "" {
			write("orders", c.name, c.text)
		}
		got := rxcql(t, args...)
		require.Equal(t, 1, got.code)
		status, anew, _, earlier := parsed(t, got.out).of(t, "archive.orders")
		require.Equal(t, "done", status)
		require.True(t, strings.HasSuffix(anew, c.anew), anew)
		require.Equal(t, c.anew == "", earlier)
		require.EqualValues(t, c.rows, rowsOf(t, host, "archive.orders"))
	}
	write("stock", "a.csv", "id,v\n1,a\n")
	require.Zero(t, rxcql(t, args...).code)
	require.EqualValues(t, 1, rowsOf(t, host, "archive.stock"))
}

func TestFilesOfAnUnloadThatAreGoneAreNotCalledDone(t *testing.T) {
	server, host := shop(t)
	dump := filepath.Join(t.TempDir(), "dump")
	args := []string{"unload", "shop", "--out", dump, "--hosts", host, "--progress", "none", "--checkpoint", t.TempDir(), "--json", "-", "--retry-time", "0"}
	stop := failing(server, "shop.orders")
	require.Equal(t, 1, rxcql(t, args...).code)
	files, err := filepath.Glob(filepath.Join(dump, "shop.stock", "*.csv"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	require.NoError(t, os.Rename(files[0], files[0]+".gone"))
	got := rxcql(t, args...)
	require.Equal(t, 1, got.code)
	_, _, failed, _ := parsed(t, got.out).of(t, "shop.stock")
	require.Contains(t, failed, "-00000.csv is gone")
	require.NoError(t, os.Rename(files[0]+".gone", files[0]))
	stop()
	server.Exec("TRUNCATE shop.stock") // what is archived may go
	got = rxcql(t, args...)
	require.Zero(t, got.code, got.err+got.out)
	_, _, _, earlier := parsed(t, got.out).of(t, "shop.stock")
	require.True(t, earlier, "its files are there")
	got = rxcql(t, args...)
	require.Equal(t, 1, got.code, "a new run finds the files in its way, and replaces none")
}

func TestADiffThatCameToItsEndIsMadeAnew(t *testing.T) {
	server, host := shop(t)
	archive(server, "archive")
	require.Zero(t, rxcql(t, "copy", "shop", "--to", "archive", "--hosts", host, "--progress", "none").code)
	out := t.TempDir()
	args := []string{"diff", "shop", "--to", "archive", "--hosts", host, "--pause", "0", "--out", out, "--progress", "none", "--json", "-"}
	got := rxcql(t, args...)
	require.Zero(t, got.code, got.err+got.out)
	server.Exec("DELETE FROM archive.stock WHERE id = 7")
	got = rxcql(t, args...)
	require.Equal(t, 3, got.code, "what was equal an hour ago is not called equal: "+got.out)
	earlier, err := filepath.Glob(filepath.Join(out, "earlier", "*", "report.json"))
	require.NoError(t, err)
	require.Len(t, earlier, 3)

	stop := failing(server, "shop.orders")
	require.Equal(t, 1, rxcql(t, append(args, "--retry-time", "0")...).code)
	stop()
	got = rxcql(t, append(args, "--pause", "1ms", "--rereads", "2")...)
	require.Equal(t, 3, got.code)
	_, _, _, before := parsed(t, got.out).of(t, "shop.stock")
	require.True(t, before, "a run that was interrupted goes on, also with another pause")
	got = rxcql(t, "repair", "--from", out, "--to", "archive", "--hosts", host, "--out", t.TempDir(), "--progress", "none", "--dry-run")
	require.Zero(t, got.code, "earlier results are no tables: "+got.err)
}

func TestFlagsThatChangeWhatIsWrittenMakeAnotherJobAndOthersDoNot(t *testing.T) {
	server, host := shop(t)
	archive(server, "archive")
	dump, folder := t.TempDir(), t.TempDir()
	for table, text := range map[string]string{"orders": "id,v\n1,a\n", "stock": "id,v\nx,a\n"} {
		require.NoError(t, os.Mkdir(filepath.Join(dump, table), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dump, table, "a.csv"), []byte(text), 0o600))
	}
	load := func(more ...string) (failed string, earlier bool) {
		args := []string{"load", dump, "--into", "archive", "--hosts", host, "--progress", "none", "--checkpoint", folder, "--json", "-", "--null", "-"}
		got := rxcql(t, append(args, more...)...)
		require.Equal(t, 1, got.code, "stock has a bad record")
		_, _, failed, earlier = parsed(t, got.out).of(t, "archive.orders")
		return failed, earlier
	}
	_, earlier := load()
	require.False(t, earlier)
	for _, more := range [][]string{nil, {"--max-errors", "0"}, {"--nulls-delete=false"}, {"--workers", "2", "--rate", "1000"}} {
		failed, earlier := load(more...)
		require.True(t, earlier, "%v: %s", more, failed)
	}
	for _, more := range [][]string{{"--nulls-delete"}, {"--ignore-columns"}, {"--null", "NULL"}} {
		failed, _ := load(more...)
		require.Contains(t, failed, "another job", more)
	}
	_, earlier = load("--restart")
	require.False(t, earlier)
}

func TestAConstantIsAValueOfRowsAndNotInReportsOrFolders(t *testing.T) {
	server, host := shop(t)
	archive(server, "archive")
	folder := t.TempDir()
	args := func(value string) []string {
		return []string{"copy", "shop.orders", "--to", "archive", "--drop", "v", "--constant", "v=" + value, "--hosts", host, "--progress", "none",
			"--checkpoint", folder, "--json", filepath.Join(folder, "r.json"), "--retry-time", "0"}
	}
	stop := failing(server, "archive.orders")
	got := rxcql(t, args("hunter2")...)
	require.Equal(t, 1, got.code)
	stop()
	said := got.out + got.err
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		require.NoError(t, err)
		said += string(text)
	}
	require.Contains(t, said, "the run goes on with the same command")
	require.NotContains(t, said, "hunter2")
	got = rxcql(t, args("hunter3")...)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "another job", "half of the rows would have another value")
	require.Zero(t, rxcql(t, args("hunter2")...).code)
}
