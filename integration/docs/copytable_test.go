package docs_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
	"github.com/rxcql/rxcql/transfer"
)

func copyWithPlan(ctx context.Context, session *gocql.Session, out io.Writer) error {
	from := transfer.Table{Session: session, Name: weather + ".readings"}
	to := transfer.Table{Session: session, Name: weather + ".archive"} // the session may be of another cluster
	job, err := transfer.Copy(from, to, transfer.Create(), transfer.Rename("celsius", "degrees"),
		transfer.WithCheckpoint(checkpoint.File("copy.checkpoint"), "copy"))
	if err != nil {
		return err
	}
	plan, err := job.Plan(ctx)
	if err != nil {
		return err
	}
	fmt.Fprint(out, plan)
	report, err := job.Run(ctx)
	fmt.Fprint(out, report)
	return err
}

// copyInUpperCase copies readings with the name of each sensor in upper case.
func copyInUpperCase(ctx context.Context, session *gocql.Session) (rxcql.Report, error) {
	rows := operators.Map(source.Table[rxcql.Row](session, weather+".readings"), func(row rxcql.Row) (rxcql.Row, error) {
		sensor, err := rxcql.Value[string](row, "sensor")
		if err != nil {
			return row, err
		}
		return row.With("sensor", []byte(strings.ToUpper(sensor)))
	})
	return rxcql.Run(ctx, rows, sink.Table[rxcql.Row](session, weather+".archive"))
}

func TestValuesAreChangedOnTheWay(t *testing.T) {
	session := newKeyspace(t, readingsTable, strings.Replace(readingsTable, "readings", "archive", 1),
		"INSERT INTO readings (sensor, at, celsius) VALUES ('roof', '2020-01-01', 1.5)")
	report, err := copyInUpperCase(t.Context(), session)
	require.NoError(t, err)
	require.EqualValues(t, 1, report.Written)
	require.Equal(t, []string{"ROOF"}, column[string](t, session, "SELECT sensor FROM archive"))
	require.Equal(t, []float64{1.5}, column[float64](t, session, "SELECT celsius FROM archive"))
}

func TestATableIsCopiedAsThePageHasIt(t *testing.T) {
	session := newKeyspace(t, readingsTable, "INSERT INTO readings (sensor, at, celsius) VALUES ('roof', '2020-01-01', 1.5)")
	var out bytes.Buffer
	require.NoError(t, copyWithPlan(t.Context(), session, &out))
	require.Equal(t, []float64{1.5}, column[float64](t, session, "SELECT degrees FROM archive"))
	require.Contains(t, out.String(), "would create: CREATE TABLE IF NOT EXISTS")
	require.Contains(t, out.String(), "1 rows read, 1 written")
}
