package verbs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecordsOfJSONWithoutTheTimeToLiveAreRefusedBeforeTheyAreWritten(t *testing.T) {
	for name, text := range map[string]string{
		"in.ndjson": `{"id":1,"v":"a","ttl":100}` + "\n" + `{"id":2,"v":"b","ttl":100}` + "\n",
		"in.json":   `[{"id":1,"v":"a","ttl":100}]`,
	} {
		for _, flags := range [][]string{nil, {"--checkpoint", t.TempDir()}, {"--dry-run"}} {
			b := newBench(t)
			path := b.file(name, text)
			for range 2 { // also when the job is run again
				got := b.load(path, append([]string{"--ttl-column", "TTL", "--ignore-columns"}, flags...)...)
				require.Equal(t, 1, got.code, "%s %v: %s", name, flags, got.out)
				require.Contains(t, got.out+got.err, `no record has a column "TTL", which --ttl-column names`, "%v", flags)
				require.Equal(t, []string{""}, b.rows(), "nothing is written")
			}
		}
	}
}

func TestALaterRunOfAJobMayMeetRecordsWithoutATimeToLive(t *testing.T) {
	b := newBench(t)
	job := t.TempDir()
	path := b.file("in.ndjson", `{"id":1,"v":"a","ttl":100}`+"\n"+`{"id":"x","v":"b"}`+"\n")
	require.Equal(t, 1, b.load(path, "--ttl-column", "ttl", "--checkpoint", job).code)
	got := b.load(path, "--ttl-column", "ttl", "--checkpoint", job, "--bad", filepath.Join(b.folder, "bad.ndjson"))
	require.Equal(t, 3, got.code, got.out+got.err)
	require.NotContains(t, got.out+got.err, "no record")
}

func TestRecordsThatAreNotWrittenDoNotLackATimeToLive(t *testing.T) {
	for _, record := range []string{`{"id":"x","v":"a","ttl":5}`, `{"id":1,"v":"a","ttl":"soon"}`, `{"id":1,`} {
		b := newBench(t)
		path, bad := b.file("in.ndjson", record+"\n"), filepath.Join(b.folder, "bad.ndjson")
		got := b.load(path, "--ttl-column", "ttl", "--bad", bad)
		require.Equal(t, 3, got.code, "%s: %s%s", record, got.out, got.err)
		require.NotContains(t, got.out+got.err, "no record", record)
	}
}

func TestBadTimesOfRowsAreBadRecordsThatCanBeCorrected(t *testing.T) {
	for name, text := range map[string]string{
		"in.csv": "id,v,ttl,at\n1,a,100,1000\n2,b,-5,1000\n3,c,99999999999,1000\n5,e,5,0\n6,f,5,\n,g,5,1000\n",
		"in.ndjson": `{"id":1,"v":"a","ttl":100,"at":1000}
{"id":2,"v":"b","ttl":-5,"at":1000}
{"id":3,"v":"c","ttl":99999999999,"at":1000}
{"id":5,"v":"e","ttl":5,"at":0}
{"id":6,"v":"f","ttl":5}
{"id":null,"v":"g","ttl":5,"at":1000}
`,
	} {
		b := newBench(t)
		path, bad := b.file(name, text), filepath.Join(b.folder, "bad.ndjson")
		flags := []string{"--ttl-column", "ttl", "--timestamp-column", "at"}
		got := b.load(path, append(flags, "--bad", bad)...)
		require.Equal(t, 3, got.code, got.out+got.err)
		require.Equal(t, []string{"1,a,"}, b.rows())
		letters, err := os.ReadFile(bad)
		require.NoError(t, err)
		for _, says := range []string{
			path + `, line 3: column \"ttl\": a time to live must be whole seconds, from 0 to 630720000 (20 years)`,
			path + `, line 5: column \"at\": a row needs a write time`,
		} {
			if name == "in.ndjson" {
				says = strings.NewReplacer("line 3", "line 2", "line 5", "line 4").Replace(says)
			}
			require.Contains(t, string(letters), says)
		}
		require.Equal(t, 5, strings.Count(string(letters), `"type":"string"`), "each is the text of its record: %s", letters)
		require.NotContains(t, got.out+string(letters), "function given to")
		corrected := strings.NewReplacer(
			"-5", "7", "99999999999", "7", "5,e,5,0", "5,e,5,1000", "6,f,5,", "6,f,5,1000", `",g,5,1000`, `"7,g,5,1000`,
			`\"at\":0`, `\"at\":1000`, `\"f\",\"ttl\":5`, `\"f\",\"ttl\":5,\"at\":1000`, `\"id\":null`, `\"id\":7`,
		).Replace(string(letters))
		require.NoError(t, os.WriteFile(bad, []byte(corrected), 0o600))
		again := b.load(bad, flags...)
		require.Zero(t, again.code, again.out+again.err)
		require.Equal(t, []string{"1,a,", "2,b,", "3,c,", "5,e,", "6,f,", "7,g,"}, b.rows())
	}
}

func TestAValueWithoutItsWriteTimeIsToldByColumnsOfTheFile(t *testing.T) {
	b := newBench(t)
	path := b.file("times.csv", "id,v,writetime(v),expires(v)\n3,c,,\n")
	got := b.load(path, "--times")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, `line 2: column "v" has a value and no write time: give one in column "writetime(v)"`)
	for name, text := range map[string]string{"none.csv": "id,v\n3,c\n", "none.ndjson": `{"id":3,"v":"c"}` + "\n"} {
		got = b.load(b.file(name, text), "--times")
		require.Equal(t, 1, got.code)
		require.Contains(t, got.out, `"writetime(v)" and "expires(v)" too`)
		require.NotContains(t, got.out, "ossy")
	}
}

func TestBadRecordsAreNotLoadedWithoutATimeToLiveThatANameMeans(t *testing.T) {
	for name, text := range map[string]string{"in.csv": "id,v,ttl\nx,a,5\n", "in.ndjson": `{"id":"x","v":"a","ttl":5}` + "\n"} {
		b := newBench(t)
		bad := filepath.Join(b.folder, "bad.ndjson")
		require.Equal(t, 3, b.load(b.file(name, text), "--ttl-column", "ttl", "--bad", bad).code)
		letters, err := os.ReadFile(bad)
		require.NoError(t, err)
		corrected := strings.NewReplacer(`"x,a,5"`, `"1,a,5"`, `\"x\"`, "1").Replace(string(letters))
		require.NoError(t, os.WriteFile(bad, []byte(corrected), 0o600))
		got := b.load(bad, "--ttl-column", "tll", "--ignore-columns")
		require.Equal(t, 1, got.code, got.out+got.err)
		require.Contains(t, got.out, `no record has a column "tll", which --ttl-column names`)
		require.Equal(t, []string{""}, b.rows())
		require.Zero(t, b.load(bad, "--ttl-column", "ttl").code)
		require.Equal(t, []string{"1,a,"}, b.rows())
	}
}

func TestANullClusteringKeyIsABadRecordWithItsLine(t *testing.T) {
	b := newBench(t, "orders (id int, c int, v text, PRIMARY KEY (id, c))")
	path, bad := b.file("in.csv", "id,c,v\n1,1,a\n2,,b\n"), filepath.Join(b.folder, "bad.ndjson")
	got := b.load(path, "--bad", bad)
	require.Equal(t, 3, got.code, got.out+got.err)
	letters, err := os.ReadFile(bad)
	require.NoError(t, err)
	require.Contains(t, string(letters), path+`, line 3: column \"c\" is null, and it is of the primary key`)
	require.Contains(t, string(letters), `"row":"2,,b"`)
}

func TestReasonsOfBadRecordsAreSaidInTheWordsOfTheCommand(t *testing.T) {
	b := newBench(t, "orders (id int PRIMARY KEY, at timestamp, v text, yes boolean)")
	path := b.file("in.csv", "id,at,v,yes\n1,soon,,\n2,,,perhaps\n3,,\\\\qq,\n")
	for _, flags := range [][]string{nil, {"--dialect", "cqlsh"}, {"--dialect", "dsbulk"}} {
		report := filepath.Join(b.folder, "r.json")
		got := b.load(path, append(flags, "--max-errors", "9", "--json", report)...)
		require.Contains(t, got.out, "rows failed", got.err)
		text, err := os.ReadFile(report)
		require.NoError(t, err)
		for _, name := range []string{"Timestamps", "Booleans", "Dialect", "Zone", "Escapes"} {
			require.NotContains(t, got.out+string(text), name, flags)
		}
	}
}
