package verbs_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// No format cuts off what a timestamp does not hold.
func TestATimeBelowAMillisecondIsABadRecordInEachFormat(t *testing.T) {
	for name, text := range map[string]string{
		"in.csv":    "id,at\n1,2020-01-01T00:00:00.123456Z\n",
		"in.ndjson": `{"id":1,"at":"2020-01-01T00:00:00.123456Z"}` + "\n",
		"in.json":   `[{"id":1,"at":"2020-01-01T00:00:00.123000001Z"}]`,
		"x.ndjson":  `{"id":1,"at":"2020-01-01 00:00:00.123000000001+0000"}` + "\n",
		"l.ndjson":  `{"id":1,"all":["2020-01-01T00:00:00.123456Z"]}` + "\n",
	} {
		b := newBench(t, "orders (id int PRIMARY KEY, at timestamp, all frozen<list<timestamp>>)")
		got := b.load(b.file(name, text))
		require.Equal(t, 1, got.code, "%s: %s", name, got.out)
		require.Contains(t, got.out, "below a millisecond", name)
		require.Equal(t, []string{""}, b.rows(), name)

		text = strings.NewReplacer("123456Z", "123000Z", "123000001", "123000000", "123000000001", "123").Replace(text)
		got = b.load(b.file(name, text))
		require.Zero(t, got.code, "%s: %s", name, got.out)
		require.Contains(t, b.rows()[0], "2020-01-01T00:00:00.123Z", name)
	}
}

// Without a header the order of the columns is all that there is.
func TestTimesComeBackFromAFileWithoutAHeader(t *testing.T) {
	b := newBench(t, "orders (id int PRIMARY KEY, a bigint, b bigint, c bigint)")
	b.server.Exec("INSERT INTO shop.orders (id, a) VALUES (1, 10) USING TIMESTAMP 1000", "INSERT INTO shop.orders (id, b) VALUES (1, 20) USING TIMESTAMP 2000",
		"INSERT INTO shop.orders (id, c) VALUES (1, 30) USING TIMESTAMP 3000", "INSERT INTO shop.orders (id, a, b, c) VALUES (2, 1, 2, 3) USING TIMESTAMP 4000")
	unloaded := func() []string {
		got := b.rxcql("unload", "shop.orders", "--out", "-", "--times")
		require.Zero(t, got.code, got.err)
		lines := strings.Split(got.out, "\n")
		slices.Sort(lines)
		return lines
	}
	want := unloaded()
	for _, dialect := range []string{"rfc4180", "cqlsh", "dsbulk"} {
		flags := []string{"--times", "--header", "no", "--dialect", dialect}
		file := filepath.Join(b.folder, dialect+".csv")
		got := b.rxcql(append([]string{"unload", "shop.orders", "--out", file}, flags...)...)
		require.Zero(t, got.code, got.err)
		b.server.Exec("DROP TABLE shop.orders", "CREATE TABLE shop.orders (id int PRIMARY KEY, a bigint, b bigint, c bigint)")
		got = b.load(file, flags...)
		require.Zero(t, got.code, "%s: %s", dialect, got.out)
		require.Equal(t, want, unloaded(), dialect)
	}
}

// What the help says: correct the records, and load that file with the flags of before.
func TestBadRecordsAreLoadedWithTheFlagsOfBefore(t *testing.T) {
	for name, c := range map[string]struct {
		text     string
		flags    []string
		from, to string // what is corrected, in the file of bad records
		want     string
	}{
		"cqlsh":   {text: `x,a\\\\b,c`, flags: []string{"--dialect", "cqlsh"}, from: `"x,a`, to: `"1,a`, want: `1,a\b,c`},
		"null":    {text: "x,NULL,c", flags: []string{"--null", "NULL"}, from: `"x,N`, to: `"1,N`, want: "1,,c"},
		"tabs":    {text: "x\ta,b\tc", flags: []string{"--delimiter", `\t`}, from: `"x`, to: `"1`, want: `1,"a,b",c`},
		"latin-1": {text: "x,M\xfcller,c", flags: []string{"--encoding", "latin-1"}, from: `"x,`, to: `"1,`, want: "1,Müller,c"},
		"umlaut":  {text: "x,Mueller,c", flags: []string{"--encoding", "latin-1"}, from: `"x,Mue`, to: `"1,Mü`, want: "1,Müller,c"},
		"alike":   {text: "x,M\xc3\xbc,c", flags: []string{"--encoding", "latin-1"}, from: `"x,`, to: `"1,`, want: "1,MÃ¼,c"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			separator := ","
			if name == "tabs" {
				separator = "\t"
			}
			path := b.file("in.csv", strings.Join([]string{"id", "v", "w"}, separator)+"\n"+c.text+"\n")
			bad := filepath.Join(b.folder, "bad.ndjson")
			got := b.load(path, append(c.flags, "--bad", bad)...)
			require.Equal(t, 3, got.code, got.out+got.err)
			text, err := os.ReadFile(bad)
			require.NoError(t, err)
			require.Equal(t, 1, strings.Count(string(text), c.from), "%s", text)
			require.NoError(t, os.WriteFile(bad, []byte(strings.Replace(string(text), c.from, c.to, 1)), 0o600))
			got = b.load(bad, c.flags...)
			require.Zero(t, got.code, got.out+got.err)
			require.Equal(t, []string{c.want}, b.rows())
		})
	}
}

func TestFilesOfAPatternWithANumberThatChangeAreLoadedAnew(t *testing.T) {
	b := newBench(t)
	b.file("t-0.csv", "id,v\n1,a\n")
	b.file("t-1.csv", "id,v\nx,b\n")
	args := []string{"--checkpoint", filepath.Join(b.folder, "going"), "--workers", "1"}
	pattern := filepath.Join(b.folder, "t-%d.csv")
	require.Equal(t, 1, b.load(pattern, args...).code, "a bad record")
	require.Equal(t, []string{"1,a,"}, b.rows())
	b.file("t-0.csv", "id,v\n1,a\n2,later\n")
	b.file("t-1.csv", "id,v\n3,b\n")
	got := b.load(pattern, args...)
	require.Zero(t, got.code, got.out+got.err)
	require.Equal(t, []string{"1,a,", "2,later,", "3,b,"}, b.rows())
}

func TestAnEmptyCharacterIsNotPassedOver(t *testing.T) {
	b := newBench(t)
	path := b.file("in.csv", "id,v\n1,\"a\"\n")
	for _, flag := range []string{"--quote", "--escape", "--delimiter"} {
		got := b.load(path, flag, "")
		require.Equal(t, 2, got.code, got.out)
		require.Contains(t, got.err, flag)
	}
}
