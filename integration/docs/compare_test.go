package docs_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// Difference is what is not alike in two tables of readings.
type Difference struct {
	What   string    `json:"what"`
	Sensor string    `json:"sensor"`
	At     time.Time `json:"at"`
}

func difference(p rxcql.Pair[Reading, Reading]) (Difference, error) {
	switch {
	case !p.HasRight:
		return Difference{"missing", p.Left.Sensor, p.Left.At}, nil
	case !p.HasLeft:
		return Difference{"extra", p.Right.Sensor, p.Right.At}, nil
	}
	return Difference{"changed", p.Left.Sensor, p.Left.At}, nil
}

func compare(ctx context.Context, session *gocql.Session) (rxcql.Report, error) {
	pairs := source.TablePair[Reading, Reading](session, weather+".readings", session, weather+".archive")
	differing := operators.Filter(pairs, func(p rxcql.Pair[Reading, Reading]) bool {
		return !p.Both() || p.Left != p.Right
	})
	report, err := rxcql.Run(ctx, operators.Map(differing, difference),
		sink.NDJSON[Difference]("differences.ndjson", sink.Overwrite()))
	return report, err
}

func copyMissing(ctx context.Context, session *gocql.Session) (rxcql.Report, error) {
	pairs := source.TablePair[Reading, Reading](session, weather+".readings", session, weather+".archive")
	toCopy := operators.Filter(pairs, func(p rxcql.Pair[Reading, Reading]) bool {
		return p.HasLeft && (!p.HasRight || p.Left != p.Right)
	})
	rows := operators.Map(toCopy, func(p rxcql.Pair[Reading, Reading]) (Reading, error) { return p.Left, nil })
	report, err := rxcql.Run(ctx, rows, sink.Table[Reading](session, weather+".archive"))
	return report, err
}

func TestTwoTablesAreComparedAndWhatIsMissingIsCopied(t *testing.T) {
	session := newKeyspace(t, readingsTable, strings.Replace(readingsTable, "readings", "archive", 1))
	fill(t, session, 1000, "roof", "cellar")
	_, err := rxcql.Run(t.Context(), source.Table[Reading](session, weather+".readings"), sink.Table[Reading](session, weather+".archive"))
	require.NoError(t, err)
	alike, err := compare(t.Context(), session)
	require.NoError(t, err)
	require.EqualValues(t, 2000, alike.ReadRows)
	require.Zero(t, alike.Written)

	var first time.Time
	require.NoError(t, session.Query("SELECT at FROM archive WHERE sensor = 'roof' LIMIT 1").Scan(&first))
	require.NoError(t, session.Query("UPDATE archive SET celsius = 99 WHERE sensor = 'roof' AND at = ?", first).Exec())
	require.NoError(t, session.Query("DELETE FROM archive WHERE sensor = 'cellar' AND at = ?", first).Exec())
	require.NoError(t, session.Query("INSERT INTO archive (sensor, at, celsius) VALUES ('shed', ?, 1)", first).Exec())
	_, err = compare(t.Context(), session)
	require.NoError(t, err)
	got, err := source.NDJSON[Difference]("differences.ndjson").Collect(t.Context())
	require.NoError(t, err)
	first = first.UTC()
	require.ElementsMatch(t, []Difference{{"changed", "roof", first}, {"missing", "cellar", first}, {"extra", "shed", first}}, got)

	copied, err := copyMissing(t.Context(), session)
	require.NoError(t, err)
	require.EqualValues(t, 2, copied.Written)
	_, err = compare(t.Context(), session)
	require.NoError(t, err)
	got, err = source.NDJSON[Difference]("differences.ndjson").Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Difference{{"extra", "shed", first}}, got)
}
