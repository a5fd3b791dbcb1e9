package docs_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// look is called with each row of the job.
var look func(Reading) error

func archiveJob(ctx context.Context, session *gocql.Session) (rxcql.Report, error) {
	if err := checkpoint.CreateTable(ctx, session, weather+".jobs"); err != nil {
		return rxcql.Report{}, err
	}
	readings := operators.Tap(source.Table[Reading](session, weather+".readings"), look)
	report, err := rxcql.Run(ctx, readings, sink.Table[Reading](session, weather+".archive"),
		rxcql.WithCheckpoint(checkpoint.Table(session, weather+".jobs"), "archive", rxcql.RunOnce()))
	return report, err
}

func TestAJobGoesOnAndIsThenLeftAlone(t *testing.T) {
	session := newKeyspace(t, readingsTable, strings.Replace(readingsTable, "readings", "archive", 1))
	fill(t, session, 5000, "roof", "cellar", "garden", "shed")
	rows, cut := 0, errors.New("a power cut")
	look = func(Reading) error {
		if rows++; rows == 15_000 {
			return cut
		}
		return nil
	}
	_, err := archiveJob(t.Context(), session)
	require.ErrorIs(t, err, cut)

	report, err := archiveJob(t.Context(), session)
	require.NoError(t, err)
	require.True(t, report.Complete)
	require.NotZero(t, report.ResumedRows)
	require.EqualValues(t, 20_000, report.ResumedRows+report.ReadRows)
	require.Len(t, column[string](t, session, "SELECT sensor FROM archive"), 20_000)

	report, err = archiveJob(t.Context(), session)
	require.NoError(t, err)
	require.Zero(t, report.ReadRows)
	require.EqualValues(t, 20_000, report.ResumedRows)
}
