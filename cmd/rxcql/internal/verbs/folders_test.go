package verbs_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFolderIsLoadedInFullOrNotAtAll(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		flags []string
		says  string // "" where all is loaded: rows 1 and 2
	}{
		"letter case":      {files: map[string]string{"a.csv": "id,v\n1,a\n", "b.CSV": "id,v\n2,b\n"}},
		"hidden and marks": {files: map[string]string{"a.csv": "id,v\n1,a\n2,b\n", ".b.csv": "id,v\n3,c\n", "_SUCCESS": ""}},
		"an underscore":    {files: map[string]string{"_a.csv": "id,v\n1,a\n", "b.csv": "id,v\n2,b\n"}},
		"given format":     {files: map[string]string{"a.txt": "id,v\n1,a\n", "b.txt": "id,v\n2,b\n"}, flags: []string{"--format", "csv"}},
		"jsonl":            {files: map[string]string{"a.ndjson": "{\"id\":1,\"v\":\"a\"}", "b.jsonl": "{\"id\":2,\"v\":\"b\"}"}},
		"unknown ending":   {files: map[string]string{"a.csv": "id,v\n1,a\n", "b.txt": "id,v\n2,b\n"}, says: "b.txt"},
		"no ending":        {files: map[string]string{"a.csv": "id,v\n1,a\n", "b": "id,v\n2,b\n"}, says: "all files or none: b;"},
		"given, and more":  {files: map[string]string{"a.csv": "id,v\n1,a\n", "b.txt": "id,v\n2,b\n"}, flags: []string{"--format", "csv"}, says: "b.txt"},
		"two formats":      {files: map[string]string{"a.csv": "id,v\n1,a\n", "b.ndjson": "{\"id\":2}"}, says: "b.ndjson"},
		"another format":   {files: map[string]string{"a.csv": "id,v\n1,a\n", "b.ndjson": "{\"id\":2}"}, flags: []string{"--format", "csv"}, says: "b.ndjson"},
		"a folder":         {files: map[string]string{"a.csv": "id,v\n1,a\n", "more/b.csv": "id,v\n2,b\n"}, says: "more/"},
		"two unloads":      {files: map[string]string{"orders-00000.csv": "id,v\n1,a\n", "orders-00000.csv.gz": ""}, says: "of two unloads"},
		"not complete":     {files: map[string]string{"a.csv": "id,v\n1,a\n", "b.csv.part": ""}, says: "b.csv.part is not complete"},
	} {
		b := newBench(t)
		for file, text := range c.files {
			b.file(file, text)
		}
		got := b.load(b.folder, c.flags...)
		if c.says != "" {
			require.Equal(t, 1, got.code, name)
			require.Contains(t, got.out, c.says, name)
			require.Equal(t, []string{""}, b.rows(), name)
			continue
		}
		require.Zero(t, got.code, "%s: %s", name, got.out)
		require.Equal(t, []string{"1,a,", "2,b,"}, b.rows(), name)
	}
}

func TestAPatternDoesNotPassOverAFileThatIsNotComplete(t *testing.T) {
	b := newBench(t)
	b.file("t-00000.csv", "id,v\n1,a\n")
	b.file("t-00001.csv.part", "id,v\n2,b\n")
	got := b.load(filepath.Join(b.folder, "t-*.csv"))
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "t-00001.csv.part is not complete")
	require.Equal(t, 1, b.load(filepath.Join(b.folder, "t-%05d.csv")).code)
	require.Equal(t, 1, b.load(filepath.Join(b.folder, "t-00001.csv.part")).code)
	require.NoError(t, os.Remove(filepath.Join(b.folder, "t-00001.csv.part")))
	require.Zero(t, b.load(filepath.Join(b.folder, "t-%05d.csv")).code)
	require.Equal(t, []string{"1,a,"}, b.rows())
}

// Each unload replaces what the one before has left, so that a load never has rows of two.
func TestReplaceLeavesNothingOfEarlierUnloads(t *testing.T) {
	b := newBench(t)
	dump := filepath.Join(b.folder, "dump")
	for i, flags := range [][]string{
		{"--compress", "gzip", "--files", "1", "--file-bytes", "4KiB"}, {}, {"--format", "ndjson"}, {"--format", "parquet"},
		{"--format", "parquet", "--compress", "zstd"}, {"--format", "json", "--compress", "zstd"}, {"--shard", "0/1"}, {},
	} {
		b.server.Exec("TRUNCATE shop.orders")
		rows := 400 - 50*i
		for id := range rows {
			b.server.Exec("INSERT INTO shop.orders (id, v) VALUES (" + strconv.Itoa(id) + ", 'some text to fill the files')")
		}
		if i > 0 {
			got := b.rxcql(append([]string{"unload", "shop.orders", "--out", dump}, flags...)...)
			require.Equal(t, 1, got.code, "%v", flags)
			require.Contains(t, got.out, "--replace", "%v", flags)
		}
		got := b.rxcql(append([]string{"unload", "shop.orders", "--out", dump, "--replace"}, flags...)...)
		require.Zero(t, got.code, "%v: %s%s", flags, got.out, got.err)
		want := b.rows()
		b.server.Exec("TRUNCATE shop.orders")
		got = b.load(dump)
		require.Zero(t, got.code, "%v: %s%s", flags, got.out, got.err)
		require.Equal(t, want, b.rows(), "%v", flags)
	}
}

func TestReplaceTouchesNoFileOfAnother(t *testing.T) {
	b := newBench(t, "orders (id int PRIMARY KEY)", "orders_old (id int PRIMARY KEY)")
	dump := filepath.Join(b.folder, "dump")
	others := []string{"orders_old-00000.csv", "orders-2020.csv.gz", "orders-00000.txt", "orders-1of2-00000.csv", "notes.csv"}
	for _, name := range others {
		b.file("dump/"+name, "")
	}
	got := b.rxcql("unload", "shop.orders", "--out", dump, "--replace", "--shard", "0/2")
	require.Zero(t, got.code, got.out+got.err)
	entries, err := os.ReadDir(dump)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	for _, name := range others {
		require.True(t, slices.Contains(names, name), "%s: %v", name, names)
	}
	require.Contains(t, names, "orders-0of2-00000.csv")
}

// What an unload has written, load reads with the same words.
func TestAKeyspaceOfOneTableGoesThroughAFolder(t *testing.T) {
	b := newBench(t)
	b.server.Exec("INSERT INTO shop.orders (id, v) VALUES (1, 'a')")
	for _, format := range []string{"csv", "ndjson", "json", "parquet"} {
		dump := filepath.Join(b.folder, format)
		got := b.rxcql("unload", "shop", "--out", dump, "--format", format)
		require.Zero(t, got.code, got.out+got.err)
		for _, into := range []string{"shop", "shop.orders"} {
			b.server.Exec("TRUNCATE shop.orders")
			got = b.rxcql("load", dump, "--into", into)
			require.Zero(t, got.code, "%s: %s%s", format, got.out, got.err)
			require.Equal(t, []string{"1,a,"}, b.rows(), format)
		}
		b.file(format+"/notes.txt", "")
		got = b.rxcql("load", dump, "--into", "shop")
		require.Equal(t, 2, got.code)
		require.Contains(t, got.err, "notes.txt")
	}
}
