package docs_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type Reading struct {
	Sensor  string    `cql:"sensor"`
	At      time.Time `cql:"at"`
	Celsius float64   `cql:"celsius"`
}

const readingsTable = "CREATE TABLE readings (sensor text, at timestamp, celsius double, PRIMARY KEY (sensor, at))"

// fill writes readings: those of a sensor are n, a minute apart, of 0, 1, 2, … degrees.
func fill(t *testing.T, session *gocql.Session, n int, sensors ...string) {
	t.Helper()
	readings := source.Seq(func(yield func(Reading, error) bool) {
		for _, sensor := range sensors {
			for i := range n {
				if !yield(Reading{sensor, time.UnixMilli(int64(i) * 60_000).UTC(), float64(i)}, nil) {
					return
				}
			}
		}
	})
	_, err := rxcql.Run(t.Context(), readings, sink.Table[Reading](session, weather+".readings"))
	require.NoError(t, err)
}

func firstHot(ctx context.Context, session *gocql.Session, out io.Writer) error {
	readings := source.Query[Reading](session,
		"SELECT sensor, at, celsius FROM "+weather+".readings WHERE sensor = ?", source.Bind("roof"))
	for r, err := range readings.All(ctx) {
		if err != nil {
			return err
		}
		if r.Celsius > 30 {
			fmt.Fprintf(out, "above 30 °C at %v\n", r.At)
			break // no further page is asked for
		}
	}
	return nil
}

func TestAQueryIsLeftEarly(t *testing.T) {
	session := newKeyspace(t, readingsTable)
	fill(t, session, 200, "roof")
	var out strings.Builder
	require.NoError(t, firstHot(t.Context(), session, &out))
	require.Equal(t, "above 30 °C at 1970-01-01 00:31:00 +0000 UTC\n", out.String())
}

func load(ctx context.Context, session *gocql.Session) (rxcql.Report, error) {
	lines := source.CSV[Reading]("readings.csv")
	valid := operators.Filter(lines, func(r Reading) bool { return r.Celsius > -90 })
	report, err := rxcql.Run(ctx, valid, sink.Table[Reading](session, weather+".readings"),
		rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON("letters.ndjson"))))
	return report, err
}

func TestAFileIsLoaded(t *testing.T) {
	session := newKeyspace(t, readingsTable)
	require.NoError(t, os.WriteFile("readings.csv", []byte("sensor,at,celsius\n"+
		"roof,2026-11-25T12:00:00Z,21.5\nroof,2026-11-25T12:01:00Z,-99\nroof,noon,22\ncellar,2026-11-25T12:00:00Z,14\n"), 0o600))
	report, err := load(t.Context(), session)
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Written)
	require.EqualValues(t, 1, report.Filtered)
	require.EqualValues(t, 1, report.DeadLettered)
	require.ElementsMatch(t, []float64{21.5, 14}, column[float64](t, session, "SELECT celsius FROM readings"))
}

func copyTable(ctx context.Context, session *gocql.Session) (rxcql.Report, error) {
	rows := source.Table[rxcql.Row](session, weather+".readings") // undecoded, all columns: nothing can change
	report, err := rxcql.Run(ctx, rows, sink.Table[rxcql.Row](session, weather+".archive"),
		rxcql.WithCheckpoint(checkpoint.File("copy.checkpoint"), "copy"))
	return report, err
}

func TestATableIsCopiedAsAJob(t *testing.T) {
	session := newKeyspace(t, readingsTable, strings.Replace(readingsTable, "readings", "archive", 1))
	fill(t, session, 50, "roof", "cellar", "garden")
	report, err := copyTable(t.Context(), session)
	require.NoError(t, err)
	require.True(t, report.Complete)
	require.NotZero(t, report.Saves)
	require.Len(t, column[string](t, session, "SELECT sensor FROM archive"), 150)
}

type Mean struct {
	Sensor  string  `cql:"sensor"`
	Celsius float64 `cql:"celsius"`
	Count   int64   `cql:"count"`
}

func means(session *gocql.Session) rxcql.Stream[Mean] {
	readings := source.Table[Reading](session, weather+".readings")
	sums := operators.GroupAdjacent(readings,
		func(r Reading) string { return r.Sensor }, func() float64 { return 0 },
		func(sum float64, r Reading) (float64, error) { return sum + r.Celsius, nil })
	means := operators.Map(sums, func(g operators.Group[string, float64]) (Mean, error) {
		return Mean{Sensor: g.Key, Celsius: g.Value / float64(g.Rows), Count: g.Rows}, nil
	})
	return means
}

func TestPartitionsAreAggregated(t *testing.T) {
	session := newKeyspace(t, readingsTable)
	fill(t, session, 101, "roof", "cellar")
	all, err := means(session).Collect(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, []Mean{{"roof", 50, 101}, {"cellar", 50, 101}}, all)
}

func archive(ctx context.Context, session *gocql.Session) (rxcql.Report, error) {
	readings := source.Table[Reading](session, weather+".readings")
	hot := func(in rxcql.Stream[Reading]) rxcql.Stream[Reading] {
		return operators.Filter(in, func(r Reading) bool { return r.Celsius > 30 })
	}
	report, err := rxcql.Run(ctx, readings, sink.Tee(
		sink.Table[Reading](session, weather+".archive"),
		sink.Through(hot, sink.NDJSON[Reading]("hot.ndjson"))))
	return report, err
}

func TestAStreamGoesIntoTwoSinks(t *testing.T) {
	session := newKeyspace(t, readingsTable, strings.Replace(readingsTable, "readings", "archive", 1))
	fill(t, session, 41, "roof")
	report, err := archive(t.Context(), session)
	require.NoError(t, err)
	require.EqualValues(t, 41+10, report.Written)
	lines, err := os.ReadFile("hot.ndjson")
	require.NoError(t, err)
	require.Equal(t, 10, strings.Count(string(lines), "\n"))
}
