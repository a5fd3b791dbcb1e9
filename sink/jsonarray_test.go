package sink_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
)

func TestAJSONArrayHasEachRowOnALineOfItsOwn(t *testing.T) {
	path := outPath(t)
	_, err := run(t, sequence(1, 2, 3), sink.JSONArray[int](path))
	require.NoError(t, err)
	require.Equal(t, "[\n1,\n2,\n3\n]\n", content(t, path))

	_, err = run(t, undecoded(t), sink.JSONArray[rxcql.Row](path, sink.Overwrite()))
	require.NoError(t, err)
	var rows []map[string]any
	require.NoError(t, json.Unmarshal([]byte(content(t, path)), &rows))
	require.Len(t, rows, 3)
	require.Equal(t, "a,b\n", rows[0][`Odd "name"`])

	_, err = run(t, sequence[int](), sink.JSONArray[int](path, sink.Overwrite()))
	require.NoError(t, err)
	require.Equal(t, "[]\n", content(t, path))
}

func TestARowThatFailsLeavesNoCommaBehind(t *testing.T) {
	for want, rows := range map[string][]float64{
		"[\n1,\n2\n]\n": {math.NaN(), 1, math.NaN(), 2, math.NaN()},
		"[]\n":          {math.NaN()},
	} {
		path := outPath(t)
		_, err := run(t, sequence(rows...), sink.JSONArray[float64](path), rxcql.WithRowErrors(rxcql.SkipRows(5)))
		require.NoError(t, err)
		require.Equal(t, want, content(t, path))
	}
}

func TestAJobThatWasStoppedGoesOnInsideItsArray(t *testing.T) {
	path, j := outPath(t), newLongJob(1000)
	for _, stop := range []int{1, 301, 1} {
		j.seen, j.stop = 0, stop
		_, err := j.run(t, sink.JSONArray[event](path))
		require.NoError(t, err)
		var rows []event
		require.NoError(t, json.Unmarshal([]byte(content(t, path)), &rows), "the array of a job that was stopped is closed")
	}
	j.stop = 0
	rep, err := j.run(t, sink.JSONArray[event](path))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	var rows []map[string]any
	require.NoError(t, json.Unmarshal([]byte(content(t, path)), &rows))
	require.Len(t, rows, 1000)
	for i, row := range rows {
		require.EqualValues(t, i, row["p"])
	}
}
