package docs_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/checkpoint"
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

func TestATableIsCopiedAsThePageHasIt(t *testing.T) {
	session := newKeyspace(t, readingsTable, "INSERT INTO readings (sensor, at, celsius) VALUES ('roof', '2020-01-01', 1.5)")
	var out bytes.Buffer
	require.NoError(t, copyWithPlan(t.Context(), session, &out))
	require.Equal(t, []float64{1.5}, column[float64](t, session, "SELECT degrees FROM archive"))
	require.Contains(t, out.String(), "would create: CREATE TABLE IF NOT EXISTS")
	require.Contains(t, out.String(), "1 rows read, 1 written")
}
