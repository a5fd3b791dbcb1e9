package sink_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
)

func TestOptionsThatHaveNoPlaceNextToTimesAreRefused(t *testing.T) {
	for name, opts := range map[string][]sink.TableOption{
		"Times and Delete":      {sink.Delete()},
		"Times and NullsDelete": {sink.NullsDelete()},
		"Times and TTL":         {sink.TTL(time.Hour)},
		"Times and TTLOf":       {sink.TTLOf(func(rxcql.Row) time.Duration { return 0 })},
		"Times and TimestampOf": {sink.TimestampOf(func(rxcql.Row) int64 { return 1 })},
	} {
		err := sink.TableOnTimed(nil, timedTable(), append(opts, sink.Times())...).Info().Err
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, name)
	}
	err := sink.TableOn[event](nil, events(), sink.Times()).Info().Err
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "rows must be rxcql.Row")
	err = sink.TableOnTimed(nil, timedTable(), sink.Times(sink.CountTimes(nil), sink.MarkerTime(time.Time{}), sink.Untimed(), sink.Markers(9))).Info().Err
	for _, part := range []string{"CountTimes(nil)", "MarkerTime:", "Untimed():", "Markers(9)"} {
		require.ErrorContains(t, err, part)
	}
}

func refusedTimes(t *testing.T, about *schema.Table, row rxcql.Row, opts ...sink.TimesOption) error {
	t.Helper()
	server := &timedRecorder{}
	_, err := run(t, sequence(row), sink.TableOnTimed(server.send, about, sink.Times(opts...)))
	require.Error(t, err)
	require.Empty(t, server.sent)
	return err
}

func TestColumnsWithoutTimesAreRefusedAndNamed(t *testing.T) {
	row := rowOf(joinCells(key(1), []given{{"a", "text", "A"}}, at("b", "text", "B", int64(1), nil), []given{{"m", "map<int, text>", map[int32]string{1: "x"}}})...)
	err := refusedTimes(t, timedTable(), row)
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, `column "a" (text): the rows have no times for it`)
	require.ErrorContains(t, err, `column "m"`)
	err = refusedTimes(t, timedTable(), row, sink.Untimed("a"))
	require.NotContains(t, err.Error(), `column "a"`)

	half := rowOf(key(1, given{"a", "text", "A"}, given{"writetime(a)", "bigint", int64(1)})...)
	require.ErrorContains(t, refusedTimes(t, timedTable(), half), "writetime(a) and expires(a), and not the other")
	wrong := rowOf(key(1, given{"a", "text", "A"}, given{"writetime(a)", "int", int32(1)}, given{"expires(a)", "bigint", nil})...)
	require.ErrorContains(t, refusedTimes(t, timedTable(), wrong), `"writetime(a)" is int`)
	require.ErrorContains(t, refusedTimes(t, timedTable(), row, sink.Untimed("z")), `the rows have no column "z"`)
}

func TestUntimedColumnsGetTheTimeAndTheExpiryOfTheirRow(t *testing.T) {
	later := time.Now().Add(time.Hour).Unix()
	server, counts := writeTimed(t, []rxcql.Row{rowOf(joinCells(key(1), []given{{"a", "text", "A"}}, at("b", "text", "B", int64(100), later))...)}, sink.Untimed("a"))
	require.Equal(t, []string{insertAB}, server.texts())
	require.EqualValues(t, 100, server.writes()[0].Time)
	require.InDelta(t, 3600, server.writes()[0].TTL, 60)
	require.Equal(t, sink.TimesReport{GuessedMarkers: 1, Untimed: 1}, counts)

	server, _ = writeTimed(t, []rxcql.Row{rowOf(key(1, given{"a", "text", "A"})...)}, sink.Untimed("a"), sink.MarkerTime(time.UnixMicro(5)))
	require.EqualValues(t, 5, server.writes()[0].Time)
}

func TestLossyTakesWhatHasNoTimes(t *testing.T) {
	row := rowOf(joinCells(key(1), at("b", "text", "B", int64(100), nil), []given{{"m", "map<int, text>", map[int32]string{1: "x", 2: "y"}}, {"l", "list<int>", []int32{1}}})...)
	server, counts := writeTimed(t, []rxcql.Row{row}, sink.Lossy())
	require.Len(t, server.writes(), 3)
	require.Equal(t, sink.TimesReport{GuessedMarkers: 1, Lists: 1, Untimed: 3}, counts)
}

func TestAValueWithoutAWriteTimeIsARowThatFailed(t *testing.T) {
	err := refusedTimes(t, timedTable(), rowOf(joinCells(key(1), at("a", "text", "secret", nil, nil))...))
	require.ErrorContains(t, err, `column "a" (text): it has a value and no write time`)
	require.NotContains(t, err.Error(), "secret")
	short := joinCells(key(1), at("m", "map<int, text>", map[int32]string{1: "secret", 2: "secret"}, []int64{1}, nil))
	err = refusedTimes(t, timedTable(), rowOf(short...))
	require.ErrorContains(t, err, "another number of times than of elements")
	require.NotContains(t, err.Error(), "secret")
	null := joinCells([]given{{"p", "bigint", int64(1)}, {"c", "int", nil}}, at("a", "text", "A", int64(1), nil))
	require.ErrorContains(t, refusedTimes(t, timedTable(), rowOf(null...)), `column "c" is of the primary key and cannot be null`)
}

func TestAFrozenValueOfElementsWithSeveralExpiriesNeedsLossy(t *testing.T) {
	about := tableOf(column("p", schema.PartitionKey, "bigint"), column("c", schema.Clustering, "int"), column("m", schema.Regular, "frozen<set<int>>"))
	soon, later := time.Now().Unix()+100, time.Now().Unix()+1000
	several := rowOf(joinCells(key(1), at("m", "set<int>", []int32{1, 2}, []int64{5, 9}, []int64{later, soon}))...)
	require.ErrorContains(t, refusedTimes(t, about, several), "expire at several times")
	for _, row := range []rxcql.Row{several, rowOf(joinCells(key(1), at("m", "set<int>", []int32{1, 2}, []int64{5, 9}, []int64{later, later}))...)} {
		server, counts := &timedRecorder{}, new(sink.TimesCounts)
		_, err := run(t, sequence(row), sink.TableOnTimed(server.send, about, sink.Times(sink.Lossy(), sink.CountTimes(counts))))
		require.NoError(t, err)
		require.EqualValues(t, 9, server.writes()[0].Time)
		require.InDelta(t, 1000, server.writes()[0].TTL, 60)
		require.EqualValues(t, 1, counts.Report().Joined)
	}
}
