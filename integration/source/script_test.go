package source_test

import (
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/cqltest"
	"github.com/rxcql/rxcql/source"
)

const scripted = "SELECT v FROM ks.t"

func TestAPageThatFailsIsAnErrorWithItsPlaceAndNeverTheEnd(t *testing.T) {
	s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{1}, {2}, {3}}}
	s.Fail = func(page int) message.Message {
		if page == 2 {
			return &message.Overloaded{ErrorMessage: "busy"}
		}
		return nil
	}
	session := s.Start(t)

	var rows []int32
	report, err := source.Query[int32](session, scripted).ForEach(t.Context(), func(v int32) error {
		rows = append(rows, v)
		return nil
	}, rxcql.WithRetry(0, 0))
	require.Equal(t, []int32{1, 2}, rows)
	var stage *rxcql.StageError
	require.ErrorAs(t, err, &stage)
	require.Equal(t, "Query", stage.Stage)
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.EqualValues(t, 2, row.Page)
	require.False(t, report.Complete)
	require.EqualValues(t, 2, report.Pages)
}

func TestAPageStateOfLengthZeroEndsTheReading(t *testing.T) {
	s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{7}}}
	session := s.Start(t)
	rows, err := source.Query[int32](session, scripted).Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int32{7}, rows)
	require.EqualValues(t, 1, s.Asked.Load())
}

type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}
