package docs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func reloadTable(ctx context.Context, session *gocql.Session) (rxcql.Report, error) {
	records := source.Table[deadletter.Record](session, weather+".letters")
	readings := operators.Map(records, func(r deadletter.Record) (Reading, error) {
		letter, err := deadletter.Decode[Reading](r)
		letter.Row.Celsius = min(letter.Row.Celsius, 60)
		return letter.Row, err
	})
	report, err := rxcql.Run(ctx, readings, sink.Table[Reading](session, weather+".readings"))
	return report, err
}

func TestLettersOfATableAreLoadedAgain(t *testing.T) {
	session := newKeyspace(t, readingsTable)
	require.NoError(t, deadletter.CreateTable(t.Context(), session, weather+".letters"))
	bad := Reading{"roof", time.UnixMilli(0).UTC(), 600}
	in := source.Seq(func(yield func(Reading, error) bool) { yield(bad, nil) })
	report, err := rxcql.Run(t.Context(), operators.Tap(in, func(r Reading) error {
		if r.Celsius > 60 {
			return errors.New("too hot")
		}
		return nil
	}), sink.Table[Reading](session, weather+".readings"),
		rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.Table(session, weather+".letters"))))
	require.NoError(t, err)
	require.EqualValues(t, 1, report.DeadLettered)

	report, err = reloadTable(t.Context(), session)
	require.NoError(t, err)
	require.EqualValues(t, 1, report.Written)
	require.Equal(t, []float64{60}, column[float64](t, session, "SELECT celsius FROM readings"))
}
