package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParquetThatDoesNotFitIsToldWithItsPlace(t *testing.T) {
	type noDelay struct {
		Date                int64 `parquet:"date,timestamp(microsecond)"`
		Distance            int32 `parquet:"distance"`
		Origin, Destination string
	}
	type plainDate struct {
		Date        int64  `parquet:"date"`
		Delay       int32  `parquet:"delay"`
		Distance    int32  `parquet:"distance"`
		Origin      string `parquet:"origin"`
		Destination string `parquet:"destination"`
	}
	type fractions struct {
		Date        int64   `parquet:"date,timestamp(microsecond)"`
		Delay       float64 `parquet:"delay"`
		Distance    int32   `parquet:"distance"`
		Origin      string  `parquet:"origin"`
		Destination string  `parquet:"destination"`
	}
	type lists struct {
		Date        int64    `parquet:"date,timestamp(microsecond)"`
		Delay       int32    `parquet:"delay"`
		Distance    int32    `parquet:"distance"`
		Origin      []string `parquet:"origin"`
		Destination string   `parquet:"destination"`
	}
	type nulls struct {
		Date        int64  `parquet:"date,timestamp(microsecond)"`
		Delay       *int32 `parquet:"delay,optional"`
		Distance    int32  `parquet:"distance"`
		Origin      string `parquet:"origin"`
		Destination string `parquet:"destination"`
	}
	five := int32(5)
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"a missing column":      {parquetOf(t, []noDelay{{}}), `no column "delay"`},
		"a date that is none":   {parquetOf(t, []plainDate{{}}), "column date: its type is"},
		"a delay with fraction": {parquetOf(t, []fractions{{}}), "column delay: its type is"},
		"a list":                {parquetOf(t, []lists{{Origin: []string{"a"}}}), "column origin: it is a list"},
		"a null":                {parquetOf(t, []nulls{{0, &five, 5, "A", "B"}, {0, nil, 5, "A", "B"}}), "row 2, column delay: it is null"},
		"an empty airport":      {parquetOf(t, []microFlight{{0, 1, 5, "", "B"}}), "row 1, column origin"},
		"too large a number":    {parquetOf(t, []microFlight{{0, 1 << 40, 5, "A", "B"}}), "row 1, column delay"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readAll(written(t, c.content))
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestParquetOfManyRowsIsReadToItsEnd(t *testing.T) {
	rows := make([]microFlight, 3*parquetBatch+1)
	for i := range rows {
		rows[i] = microFlight{int64(i) * 1e6, int64(i), 5, "A", "B"}
	}
	got, err := readAll(written(t, parquetOf(t, rows)))
	require.NoError(t, err)
	require.Len(t, got, len(rows))
	for i, flight := range got {
		require.EqualValues(t, i+1, flight.Seq)
		require.EqualValues(t, i, flight.Delay)
	}
}
