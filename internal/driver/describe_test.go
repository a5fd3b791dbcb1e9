package driver_test

import (
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

// broken is a value that cannot even be looked at.
type broken struct{}

func (broken) MarshalCQL(gocql.TypeInfo) ([]byte, error) { panic("4111111111111111") }

func TestValuesAreComparedWithTheirTypesBeforeAStatementRuns(t *testing.T) {
	s := serve(t, &script{params: params}) // which would not know what to answer if it ran
	about, err := s.Describe(t.Context(), insert)
	require.NoError(t, err)
	text := "x"
	for _, fitting := range [][]any{
		{1, "v"}, {int64(7), []byte("v")}, {nil, nil}, {new(int), &text}, {(*int)(nil), (*string)(nil)}, {"12", "v"},
		{gocql.UnsetValue, gocql.UnsetValue}, {&driver.Value{Bytes: []byte("as it is")}, &driver.Value{State: driver.Unset}},
	} {
		require.NoError(t, about.Fits(fitting), "%v", fitting)
	}

	const secret = "4111111111111111"
	for _, each := range []struct {
		args []any
		says string
	}{
		{[]any{secret, "v"}, "bound value 1: this string cannot be encoded as int"},
		{[]any{int64(4111111111111111), "v"}, "bound value 1: this int64 cannot be encoded as int"},
		{[]any{1, []int{4111}}, "bound value 2: this []int cannot be encoded as varchar"},
		{[]any{"4111 ", 4111.0}, "bound value 1: this string cannot be encoded as int\nbound value 2: this float64 cannot be encoded as varchar"},
		{[]any{1, broken{}}, "bound value 2: MarshalCQL of driver_test.broken panicked"},
	} {
		err := about.Fits(each.args)
		require.EqualError(t, err, each.says)
		require.NotContains(t, err.Error(), "4111")
	}

	times := serve(t, &script{params: []*message.ColumnMetadata{column("t", datatype.Time), column("l", datatype.NewList(datatype.Time))}})
	about, err = times.Describe(t.Context(), insert)
	require.NoError(t, err)
	require.NoError(t, about.Fits([]any{24*time.Hour - 1, []time.Duration{0}}))
	require.EqualError(t, about.Fits([]any{time.Duration(-1), []int64{0, int64(24 * time.Hour)}}),
		"bound value 1: this time.Duration cannot be encoded as time: value out of range: a time must be at least 0 and less than 24 h\n"+
			"bound value 2: this []int64 cannot be encoded as list(time): value out of range: a time must be at least 0 and less than 24 h")

	tuples := serve(t, &script{params: []*message.ColumnMetadata{column("k", datatype.NewTuple(datatype.Int))}})
	about, err = tuples.Describe(t.Context(), insert)
	require.NoError(t, err)
	require.ErrorIs(t, about.Fits([]any{1}), driver.ErrTupleParam)
}
