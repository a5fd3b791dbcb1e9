package parquet_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/parquet"
	"github.com/rxcql/rxcql/sink"
)

// wide is what a file has, and narrow what it is read as.
type wide struct {
	N int64   `cql:"n"`
	F float64 `cql:"f"`
	B []byte  `cql:"b"`
}

type narrow struct {
	N int32   `cql:"n"`
	F float32 `cql:"f"`
	B string  `cql:"b"`
}

func TestAValueThatDoesNotFitIsARowThatFailedWithItsPlace(t *testing.T) {
	path := write(t, []wide{
		{1, 0.5, []byte("a")}, {math.MaxInt32 + 1, 0, nil}, {math.MinInt32 - 1, 0, nil}, {4, 0.1, nil}, {5, 0, []byte("\xff")},
		{math.MinInt32, math.Inf(-1), []byte("ä")},
	})
	_, err := parquet.Read[narrow](path).Collect(context.Background())
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.ErrorContains(t, err, `rows.parquet, row 2: column "n" (int): the number is out of the range`)
	require.NotContains(t, err.Error(), "2147483648", "an error has no values")

	letters := &jobtest.Letters{}
	var got []narrow
	rep, err := run(t, parquet.Read[narrow](path), collecting(&got), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.NoError(t, err)
	require.EqualValues(t, 4, rep.DeadLettered)
	require.Equal(t, []narrow{{1, 0.5, "a"}, {math.MinInt32, float32(math.Inf(-1)), "ä"}}, got)
	for i, says := range []string{"row 2: column \"n\"", "row 3: column \"n\"", "row 4: column \"f\"", "row 5: column \"b\""} {
		require.Contains(t, letters.All[i].Error, says)
	}
}

// collecting is a sink that keeps rows.
func collecting[T any](rows *[]T) rxcql.Sink[T] {
	return sink.Each(func(_ context.Context, row T) error { *rows = append(*rows, row); return nil }, sink.InFlight(1))
}

func TestACellThatFitsItsCQLTypeAndNotTheFieldKeepsItsRowInTheLetter(t *testing.T) {
	path := write(t, []wide{{300, 0, nil}})
	type tiny struct {
		N uint8 `cql:"n"`
	}
	letters := &jobtest.Letters{}
	var got []tiny
	types := parquet.Types(columns(t, "n", "bigint")...)
	_, err := run(t, parquet.Read[tiny](path, types, parquet.IgnoreUnknown()), collecting(&got), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.NoError(t, err)
	require.Empty(t, got)
	require.Len(t, letters.All, 1)
	require.Contains(t, string(letters.All[0].Row), `"value":"AAAAAAAAASw="`) // 300
}
