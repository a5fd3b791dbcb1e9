package docs_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func loadSpread(ctx context.Context, session *gocql.Session) (rxcql.Report, error) {
	lines := source.NDJSON[Reading]("by-time.ndjson") // the next line is another sensor's
	report, err := rxcql.Run(ctx, lines, sink.Table[Reading](session, weather+".readings",
		sink.BatchByReplicaSet(0, 0))) // the defaults: 10 partitions, 5 KiB
	return report, err
}

func TestRowsThatSpreadPartitionsAreLoaded(t *testing.T) {
	session := newKeyspace(t, readingsTable)
	rows := source.Seq(func(yield func(Reading, error) bool) {
		for i := range 3000 {
			if !yield(Reading{Sensor: strings.Repeat("s", i%100+1), At: time.UnixMilli(int64(i)).UTC(), Celsius: float64(i)}, nil) {
				return
			}
		}
	})
	_, err := rxcql.Run(t.Context(), rows, sink.NDJSON[Reading]("by-time.ndjson"))
	require.NoError(t, err)
	report, err := loadSpread(t.Context(), session)
	require.NoError(t, err)
	require.EqualValues(t, 3000, report.Written)
	require.Len(t, column[string](t, session, "SELECT sensor FROM readings"), 3000)
}
