package transfer_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

func checkpointIn(t *testing.T) rxcql.CheckpointStore {
	return checkpoint.File(filepath.Join(t.TempDir(), "checkpoint"))
}

// badLines are lines that are no rows of (p int, v text, d date), and what is said of them.
var badLines = []struct{ line, says string }{
	{"x%d,v,2020-01-01", `column "p" (int)`},
	{"%d,v,2020-13-01", `column "d" (date)`},
	{"%d,v", "2 fields where the header has 3"},
	{"%d,v,2020-01-01,more", "4 fields where the header has 3"},
	{"99999999999%d,v,2020-01-01", `column "p" (int)`},
	{"%d,v\xff,2020-01-01", "UTF-8"},
}

func TestTransferBadLinesAreKeptWithReasonAndLineAndTheGoodOnesWritten(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE "+ks+".t (p int PRIMARY KEY, v text, d date)")
	var file strings.Builder
	file.WriteString("p,v,d\n")
	reasons := map[int]string{} // by line
	good := 0
	for line := 2; line < 10_002; line++ {
		if line%10 != 0 {
			fmt.Fprintf(&file, "%d,good,2020-01-01\n", line)
			good++
			continue
		}
		bad := badLines[line/10%len(badLines)]
		fmt.Fprintf(&file, bad.line+"\n", line)
		reasons[line] = bad.says
	}
	require.Len(t, reasons, 1000)
	path, letters := filepath.Join(t.TempDir(), "rows.csv"), filepath.Join(t.TempDir(), "bad.ndjson")
	require.NoError(t, os.WriteFile(path, []byte(file.String()), 0o600))

	rep := loaded(t, session, path, ks+".t", transfer.BadRecords(letters), transfer.MaxErrors(1000))
	require.EqualValues(t, good, rep.Written)
	require.EqualValues(t, 1000, rep.DeadLettered)
	var rows int
	require.NoError(t, session.Query("SELECT count(*) FROM "+ks+".t WHERE v = 'good' ALLOW FILTERING").Scan(&rows))
	require.Equal(t, good, rows)

	lines := strings.Split(file.String(), "\n")
	for letter, err := range deadletter.Read[any](letters, deadletter.AnyType()) {
		require.NoError(t, err)
		_, after, found := strings.Cut(letter.Error, "line ")
		require.True(t, found, letter.Error)
		digits := strings.TrimRight(strings.FieldsFunc(after, func(r rune) bool { return r < '0' || r > '9' })[0], ":")
		line, err := strconv.Atoi(digits)
		require.NoError(t, err, letter.Error)
		require.ErrorContains(t, fmt.Errorf("%s", letter.Error), reasons[line])
		if text, is := letter.Row.(string); is && !strings.Contains(reasons[line], "UTF-8") {
			require.Equal(t, lines[line-1], text, "the record is kept as it was")
		}
		delete(reasons, line)
	}
	require.Empty(t, reasons, "exactly the bad ones")

	for _, opts := range [][]transfer.LoadOption{nil, {transfer.MaxErrors(999)}, {transfer.MaxErrorsPercent(9.9, 0)}} {
		job, err := transfer.Load(path, transfer.Table{Session: session, Name: ks + ".t"}, opts...)
		require.NoError(t, err)
		rep, err := job.Run(context.Background())
		require.Error(t, err)
		require.False(t, rep.Complete)
		if opts != nil {
			require.ErrorIs(t, err, rxcql.ErrSkipLimit)
		}
	}
}

func TestTransferLoadMapsColumnsAndTakesTimesOfRows(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, `CREATE TABLE `+ks+`.t (p int PRIMARY KEY, "Name" text, kept text)`,
		`INSERT INTO `+ks+`.t (p, kept) VALUES (1, 'kept')`)
	d := dialect.RFC4180()
	d.Header = false
	path := filepath.Join(t.TempDir(), "rows.txt")
	require.NoError(t, os.WriteFile(path, []byte("1,one,77,1000,3600\n2,two,78,2000,\n"), 0o600))
	rep := loaded(t, session, path, ks+".t", transfer.WithFormat(transfer.CSV(d)),
		transfer.FileColumns("id", "name", "extra", "ts", "ttl"), transfer.Into("id", "p"), transfer.Into("name", "Name"),
		transfer.IgnoreColumns(), transfer.TimestampColumn("ts"), transfer.TTLColumn("ttl"))
	require.EqualValues(t, 2, rep.Written)
	var name, kept string
	var written int64
	var ttl *int
	require.NoError(t, session.Query(`SELECT "Name", kept, writetime("Name"), ttl("Name") FROM `+ks+`.t WHERE p = 1`).Scan(&name, &kept, &written, &ttl))
	require.Equal(t, "one", name)
	require.Equal(t, "kept", kept)
	require.EqualValues(t, 1000, written)
	require.NotNil(t, ttl)
	require.NoError(t, session.Query(`SELECT "Name", writetime("Name"), ttl("Name") FROM `+ks+`.t WHERE p = 2`).Scan(&name, &written, &ttl))
	require.Equal(t, "two", name)
	require.EqualValues(t, 2000, written)
	require.Nil(t, ttl)

	// The same with a header.
	require.NoError(t, os.WriteFile(path, []byte("ttl,id,name\n,3,three\n"), 0o600))
	loaded(t, session, path, ks+".t", transfer.WithFormat(transfer.CSV(dialect.RFC4180())),
		transfer.Into("id", "p"), transfer.Into("name", "Name"), transfer.TTLColumn("ttl"))
	require.NoError(t, session.Query(`SELECT "Name" FROM `+ks+`.t WHERE p = 3`).Scan(&name))
	require.Equal(t, "three", name)
}

func TestTransferUnloadAndLoadKeepTimes(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for _, table := range []string{"t", "back"} {
		run(t, session, "CREATE TABLE "+ks+"."+table+" (p int PRIMARY KEY, v text, w int)")
	}
	run(t, session, "INSERT INTO "+ks+".t (p, v) VALUES (1, 'x') USING TIMESTAMP 1000 AND TTL 100000",
		"UPDATE "+ks+".t USING TIMESTAMP 2000 SET w = 1 WHERE p = 1")
	for name, format := range formats() {
		if name == "semicolons" {
			continue // without a header the columns of times have no names
		}
		run(t, session, "TRUNCATE "+ks+".back")
		dir := filepath.Join(t.TempDir(), name)
		unloaded(t, session, ks+".t", dir, transfer.WithFormat(format), transfer.WithTimes())
		loaded(t, session, dir, ks+".back", transfer.WithFormat(format), transfer.WithTimes())
		require.Equal(t, asJSON(t, session, ks+".t"), asJSON(t, session, ks+".back"), name)
		var v, w int64
		var ttl int
		require.NoError(t, session.Query("SELECT writetime(v), ttl(v), writetime(w) FROM "+ks+".back").Scan(&v, &ttl, &w))
		require.EqualValues(t, 1000, v)
		require.EqualValues(t, 2000, w)
		require.Positive(t, ttl)
	}
}

func TestTransferLoadRefusesTimesOfElements(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE "+ks+".t (p int PRIMARY KEY, m map<text, int>)")
	path := filepath.Join(t.TempDir(), "rows.csv")
	require.NoError(t, os.WriteFile(path, []byte("p,m\n"), 0o600))
	job, err := transfer.Load(path, transfer.Table{Session: session, Name: ks + ".t"}, transfer.WithTimes())
	require.NoError(t, err)
	_, err = job.Run(context.Background())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, `column "m": the times of elements`)
}
