package etl_test

import (
	"bytes"
	"runtime"
	"strconv"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

const header = "date,delay,distance,origin,destination\n"

func TestAParquetFileGivesTheSameTablesInTheSameMemory(t *testing.T) {
	path := *bigFile
	if path == "" {
		path = smallParquet(t, 30_000)
	}
	want := figuresOfParquet(t, path)
	session, keyspace := cassandra.Keyspace(t, cluster)
	got := runETL(t, build(t, "etl"), keyspace, "--flights", path, "--json", "--budget", "4MiB")
	require.Zero(t, got.code, got.stderr)
	requireTables(t, session, want)
	requireReport(t, want, parsed(t, got.stdout))
	t.Logf("%d flights, at most %d MiB", want.flights, got.memory>>20)
	if runtime.GOOS == "linux" {
		require.Positive(t, got.memory)
	}
	require.Less(t, got.memory, int64(96<<20), "memory must not grow with the file")
}

// smallParquet writes the first flights of the example's own file as Parquet,
// in row groups and under a name that tells nothing.
func smallParquet(t *testing.T, flights int) string {
	t.Helper()
	var rows []flight
	embedded(t, func(record []string) {
		if len(rows) == flights {
			return
		}
		micros := unixSeconds(t, record[0]) * 1e6
		delay, err := strconv.ParseInt(record[1], 10, 64)
		require.NoError(t, err)
		distance, err := strconv.ParseInt(record[2], 10, 64)
		require.NoError(t, err)
		rows = append(rows, flight{&micros, &delay, &distance, &record[3], &record[4]})
	})
	var out bytes.Buffer
	require.NoError(t, parquet.Write(&out, rows, parquet.MaxRowsPerRowGroup(7000), parquet.Compression(&parquet.Zstd)))
	return file(t, "flights.data", out.String())
}

func TestAWrongFileEndsWithOneAndNamesThePlace(t *testing.T) {
	etl := build(t, "etl")
	_, keyspace := cassandra.Keyspace(t, cluster)
	good := "2001-01-01T00:01:00Z,33,2176,LAS,PHL\n"
	for name, c := range map[string]struct{ content, says string }{
		"a missing column":    {"date,delay,origin,destination\n", `no column "distance"`},
		"a number that is no": {header + good + good + "2001-01-01T00:01:00Z,soon,1,A,B\n", `wrong.csv, line 4, column delay: "soon"`},
		"an empty file":       {"", "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			got := runETL(t, etl, keyspace, "--flights", file(t, "wrong.csv", c.content))
			require.Equal(t, 1, got.code)
			require.Contains(t, got.stderr, c.says)
			require.NotContains(t, got.stdout, "worst")
		})
	}
}

func TestWrongFlagsEndWithTwoAndSayTheRemedy(t *testing.T) {
	got := start(t, nil, build(t, "etl"), "--budget", "much", "--user", "me").wait(t, testWait)
	require.Equal(t, 2, got.code)
	require.Contains(t, got.stderr, "such as 64MiB")
	require.Contains(t, got.stderr, "--hosts")
	require.Empty(t, got.stdout)
}

func TestFlightsOfAnotherFileInTheTableAreRefused(t *testing.T) {
	etl := build(t, "etl")
	_, keyspace := cassandra.Keyspace(t, cluster)
	one := header + "2001-01-01T00:01:00Z,33,2176,LAS,PHL\n2001-01-01T00:02:00Z,3,500,JFK,BOS\n"
	other := header + "2001-02-01T00:01:00Z,33,2176,LAS,PHL\n"
	require.Zero(t, runETL(t, etl, keyspace, "--flights", file(t, "one.csv", one)).code)
	require.Zero(t, runETL(t, etl, keyspace, "--flights", file(t, "one.csv", one)).code)
	got := runETL(t, etl, keyspace, "--flights", file(t, "other.csv", other))
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "name another --keyspace")
}

func TestAServerThatIsNotThereIsToldWithItsName(t *testing.T) {
	got := start(t, nil, build(t, "etl"), "--hosts", "127.0.0.1:1").wait(t, testWait)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "--hosts 127.0.0.1:1")
}
