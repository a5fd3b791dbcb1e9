package types_test

import (
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// odd is a row of values that Go types merge, change or blow up.
type odd struct {
	K    int        `cql:"k" json:"k"`
	IP   netip.Addr `cql:"ip" json:"ip"`
	Dbls []float64  `cql:"dbls" json:"dbls"`
	Dec  inf.Dec    `cql:"dec" json:"dec"`
}

// oddTables makes a table with one row of them, and an empty one like it.
func oddTables(t *testing.T, session *gocql.Session, ks string) odd {
	for _, name := range []string{"original", "copy"} {
		exec(t, session, "CREATE TABLE "+ks+"."+name+" (k int, ip inet, dbls frozen<set<double>>, dec decimal, PRIMARY KEY (k, ip))")
	}
	row := odd{1, netip.MustParseAddr("::ffff:1.2.3.4"), []float64{math.Copysign(0, -1), 0}, *inf.NewDec(5, -300_000_000)}
	p, err := rxcql.New(source.Seq(func(yield func(odd, error) bool) { yield(row, nil) }), sink.Table[odd](session, ks+".original"))
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	require.NoError(t, err)
	before := contents(t, session, ks+".original")
	require.Equal(t, "0x00000000000000000000ffff01020304", before["row 1 column ip"])
	require.Contains(t, before["row 1 column dbls"], "0x00000002", "two values to the server")
	return row
}

func TestValuesThatGoMergesAreCopiedAsTheyAre(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	oddTables(t, session, ks)
	before := contents(t, session, ks+".original")
	copyTable[rxcql.Row](t, session, ks+".original", ks+".copy")
	require.Equal(t, before, contents(t, session, ks+".copy"))
	exec(t, session, "TRUNCATE "+ks+".copy")
	copyTable[odd](t, session, ks+".original", ks+".copy")
	require.Equal(t, before, contents(t, session, ks+".copy"))
}

func TestValuesThatGoMergesComeBackFromFilesAndLetters(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	want := oddTables(t, session, ks)
	file, letters := filepath.Join(t.TempDir(), "rows"), filepath.Join(t.TempDir(), "letters")
	p, err := rxcql.New(source.Table[odd](session, ks+".original"), sink.NDJSON[odd](file))
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	require.NoError(t, err)
	about, err := os.Stat(file)
	require.NoError(t, err)
	require.Less(t, about.Size(), int64(1000), "five bytes of a decimal are not written as 300 MB")
	rows, err := source.NDJSON[odd](file).Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []odd{want}, rows)

	failed := operators.Tap(source.Table[odd](session, ks+".original"), func(odd) error { return os.ErrInvalid })
	_, err = failed.ForEach(t.Context(), func(odd) error { return nil }, rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(letters))))
	require.NoError(t, err)
	for letter, err := range deadletter.Read[odd](letters) {
		require.NoError(t, err)
		require.Equal(t, want, letter.Row)
	}

	file += "2"
	p, err = rxcql.New(source.Table[rxcql.Row](session, ks+".original"), sink.NDJSON[rxcql.Row](file))
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), `"ip":"::ffff:1.2.3.4"`)
	require.Contains(t, string(text), `"dec":5E300000000`)
}

func TestAnIPv4AddressInSixteenBytesStaysAKeyOfItsOwn(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	type keyed struct {
		IP string `cql:"ip"`
		V  int    `cql:"v"`
	}
	for _, name := range []string{"original", "copy"} {
		exec(t, session, "CREATE TABLE "+ks+"."+name+" (ip inet PRIMARY KEY, v int)")
	}
	want := []keyed{{"1.2.3.4", 1}, {"::ffff:1.2.3.4", 2}}
	p, err := rxcql.New(source.Seq(func(yield func(keyed, error) bool) { _ = yield(want[0], nil) && yield(want[1], nil) }),
		sink.Table[keyed](session, ks+".original"))
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	require.NoError(t, err)
	copyTable[keyed](t, session, ks+".original", ks+".copy")
	rows, err := source.Table[keyed](session, ks+".copy").Collect(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, want, rows)
}

func TestAGoTypeThatWouldMergeOrChangeAValueIsARowError(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	oddTables(t, session, ks)
	type merges struct {
		K    int                  `cql:"k"`
		Dbls map[float64]struct{} `cql:"dbls"`
	}
	type shortens struct {
		K  int    `cql:"k"`
		IP net.IP `cql:"ip"`
	}
	_, err := source.Table[merges](session, ks+".original").Count(t.Context())
	require.ErrorContains(t, err, "two of its keys are one key of a map[float64]struct {}")
	_, err = source.Table[shortens](session, ks+".original").Count(t.Context())
	require.ErrorContains(t, err, "use netip.Addr")
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
}

func TestATimeThatIsOutOfTheDayIsReadAndCopiedAsRowButNotWritten(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for _, name := range []string{"original", "copy"} {
		exec(t, session, "CREATE TABLE "+ks+"."+name+" (k int PRIMARY KEY, t time, l list<time>)")
	}
	type timed struct {
		K int             `cql:"k"`
		T time.Duration   `cql:"t"`
		L []time.Duration `cql:"l"`
	}
	bad, day := time.Duration(-1), 24*time.Hour
	for k, row := range []timed{{T: 1, L: []time.Duration{day - 1}}, {T: bad}, {L: []time.Duration{0, day}}} {
		require.NoError(t, session.Query("INSERT INTO "+ks+".original (k, t, l) VALUES (?, ?, ?)", k, row.T, row.L).Exec())
	}
	copyTable[rxcql.Row](t, session, ks+".original", ks+".copy")
	require.Equal(t, contents(t, session, ks+".original"), contents(t, session, ks+".copy"))
	rows, err := source.Table[timed](session, ks+".original").Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, rows, 3)

	insert := "INSERT INTO " + ks + ".copy (k, t, l) VALUES (?, ?, ?)"
	for name, to := range map[string]rxcql.Sink[timed]{
		"Table": sink.Table[timed](session, ks+".copy"),
		"Exec":  sink.Exec(session, insert, func(r timed) ([]any, error) { return []any{r.K, r.T, r.L}, nil }),
	} {
		exec(t, session, "TRUNCATE "+ks+".copy")
		p, err := rxcql.New(source.Table[timed](session, ks+".original"), to)
		require.NoError(t, err)
		_, err = p.Run(t.Context())
		require.ErrorContains(t, err, "a time must be at least 0 and less than 24 h", name)
		p, err = rxcql.New(source.Table[timed](session, ks+".original"), to, rxcql.WithRowErrors(rxcql.SkipRows(2)))
		require.NoError(t, err)
		rep, err := p.Run(t.Context())
		require.NoError(t, err, name)
		require.EqualValues(t, 2, rep.Skipped, name)
		require.EqualValues(t, 1, rep.Written, name)
		require.Len(t, contents(t, session, ks+".copy"), 3, name)
	}
}

// What Exec binds, and a query is asked with, is what Table writes: gocql alone would send
// other values for these.
func TestBoundValuesAreThoseThatTableWrites(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for _, name := range []string{"by_table", "by_exec"} {
		exec(t, session, "CREATE TABLE "+ks+"."+name+" (k int, d date, a inet, ds list<date>, m map<inet, text>, u duration, n bigint, PRIMARY KEY (k, d, a))")
	}
	type period int64
	type bound struct {
		K  int               `cql:"k"`
		D  time.Time         `cql:"d"`
		A  string            `cql:"a"`
		Ds []time.Time       `cql:"ds"`
		M  map[string]string `cql:"m"`
		U  period            `cql:"u"`
		N  uint64            `cql:"n"`
	}
	evening := time.Date(1969, 7, 20, 22, 56, 15, 0, time.FixedZone("Houston", -5*3600))
	addresses := []string{"1.2.3.4", "::ffff:1.2.3.4"}
	rows := source.Seq(func(yield func(bound, error) bool) {
		for k, a := range addresses {
			if !yield(bound{k, evening, a, []time.Time{evening, {}}, map[string]string{a: "x"}, period(3 * time.Hour), 7}, nil) {
				return
			}
		}
	})
	all(t, rows, sink.Table[bound](session, ks+".by_table"))
	insert := "INSERT INTO " + ks + ".by_exec (k, d, a, ds, m, u, n) VALUES (?, ?, ?, ?, ?, ?, ?)"
	all(t, rows, sink.Exec(session, insert, func(b bound) ([]any, error) { return []any{b.K, b.D, b.A, b.Ds, b.M, b.U, b.N}, nil }))
	want := contents(t, session, ks+".by_table")
	require.Equal(t, want, contents(t, session, ks+".by_exec"))
	require.Contains(t, want["row 1 column d"], "0x7fffff5c", "the day was the 21st in UTC")

	for k, a := range addresses {
		for _, table := range []string{".by_table", ".by_exec"} {
			found, err := source.Query[bound](session, "SELECT * FROM "+ks+table+" WHERE k = ? AND d = ? AND a = ?", source.Bind(k, evening, a)).Collect(t.Context())
			require.NoError(t, err)
			require.Len(t, found, 1)
			require.Equal(t, a, found[0].A)
		}
	}
	toolarge := sink.Exec(session, insert, func(b bound) ([]any, error) { return []any{b.K, b.D, b.A, b.Ds, b.M, b.U, uint64(1) << 63}, nil })
	p, err := rxcql.New(rows, toolarge, rxcql.WithRowErrors(rxcql.SkipRows(2)))
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, rep.Skipped)
}
