package docs_test

import (
	"context"
	"errors"
	"testing"

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

// placed asks table sensors where the sensor of a reading is.
func placed(session *gocql.Session) func(ctx context.Context, r Reading) (Placed, error) {
	return func(ctx context.Context, r Reading) (Placed, error) {
		p := Placed{Reading: r}
		err := rxcql.Retry(ctx, rxcql.MayPass, func() error {
			return session.Query("SELECT place FROM "+weather+".sensors WHERE sensor = ?", r.Sensor).
				WithContext(ctx).Scan(&p.Place)
		})
		if errors.Is(err, gocql.ErrNotFound) {
			err = errNoSensor // this row's own error
		}
		return p, err
	}
}

func enrich(ctx context.Context, session *gocql.Session) (rxcql.Report, error) {
	readings := source.Table[Reading](session, weather+".readings")
	found := operators.MapConcurrent(readings, 256, placed(session), operators.Unordered())
	report, err := rxcql.Run(ctx, found, sink.Table[Placed](session, weather+".placed"),
		rxcql.WithRowErrors(rxcql.SkipPercent(1, 1000)))
	return report, err
}

func TestARowIsLookedUp(t *testing.T) {
	session := newKeyspace(t, readingsTable,
		"CREATE TABLE sensors (sensor text PRIMARY KEY, place text)",
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
}
