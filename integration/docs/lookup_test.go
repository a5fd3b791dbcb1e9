package docs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type Placed struct {
	Reading
	Place *string `cql:"place"`
}

var errNoSensor = errors.New("no such sensor")

// placed asks table sensors where the sensor of each reading is.
func placed(session *gocql.Session, readings rxcql.Stream[Reading]) rxcql.Stream[Placed] {
	return operators.Lookup(readings, session, "SELECT place FROM "+weather+".sensors WHERE sensor = ?",
		func(r Reading) ([]any, error) { return []any{r.Sensor}, nil },
		func(r Reading, found operators.Found[*string]) (Placed, error) {
			if !found.OK {
				return Placed{}, errNoSensor // this row's own error
			}
			return Placed{Reading: r, Place: found.Row}, nil
		}, operators.LookupCache(16<<20, time.Minute), operators.Unordered())
}

func enrich(ctx context.Context, session *gocql.Session) (rxcql.Report, error) {
	readings := source.Table[Reading](session, weather+".readings")
	report, err := rxcql.Run(ctx, placed(session, readings), sink.Table[Placed](session, weather+".placed"),
		rxcql.WithRowErrors(rxcql.SkipPercent(1, 1000)))
	return report, err
}

// saw notes for each sensor when it was last seen.
func saw(session *gocql.Session) func(ctx context.Context, r Reading) (Reading, error) {
	return func(ctx context.Context, r Reading) (Reading, error) {
		err := rxcql.Retry(ctx, rxcql.MayPass, func() error {
			return session.Query("UPDATE "+weather+".sensors SET seen = ? WHERE sensor = ? IF seen < ?", r.At, r.Sensor, r.At).
				WithContext(ctx).MapScan(map[string]any{})
		})
		return r, err
	}
}

func TestARowIsLookedUp(t *testing.T) {
	session := newKeyspace(t, readingsTable,
		"CREATE TABLE sensors (sensor text PRIMARY KEY, place text, seen timestamp)",
		"INSERT INTO sensors (sensor, place) VALUES ('roof', 'Basel')",
		"INSERT INTO sensors (sensor) VALUES ('cellar')",
		"CREATE TABLE placed (sensor text, at timestamp, celsius double, place text, PRIMARY KEY (sensor, at))")
	fill(t, session, 700, "roof", "cellar")
	fill(t, session, 1, "lost")
	report, err := enrich(t.Context(), session)
	require.NoError(t, err)
	require.EqualValues(t, 1400, report.Written)
	require.EqualValues(t, 1, report.Skipped)
	require.Equal(t, "no such sensor", report.RowErrors[0].Reason)
	places := map[string]int{}
	for _, place := range column[*string](t, session, "SELECT place FROM placed") {
		if place == nil {
			places["null"]++
		} else {
			places[*place]++
		}
	}
	require.Equal(t, map[string]int{"Basel": 700, "null": 700}, places)

	readings := source.Query[Reading](session, "SELECT sensor, at, celsius FROM readings WHERE sensor = 'roof' LIMIT 20")
	rows, err := operators.MapConcurrent(readings, 4, saw(session)).Count(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 20, rows)
}
