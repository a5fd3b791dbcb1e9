package etl_test

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/gocql/gocql"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
)

// This file computes what the example should find, with plain loops and maps
// and none of the toolkit's code.

type pair struct{ origin, destination string }

// route is a row of table routes.
type route struct {
	distance, delayMin, delayMax int
	flights, late, delaySum      int64
	delayMean, lateShare         float64
}

type figures struct {
	routes                   map[pair]*route
	flights, dropped         int64
	delays, distances, dates int64 // sums over all flights, dropped ones too; dates in seconds
}

func newFigures() *figures { return &figures{routes: map[pair]*route{}} }

func (f *figures) add(seconds int64, delay, distance int, origin, destination string) {
	f.flights++
	f.delays += int64(delay)
	f.distances += int64(distance)
	f.dates += seconds
	tooEarly := delay < -(30 + distance*60/500)
	if origin == destination || distance <= 0 || tooEarly {
		f.dropped++
		return
	}
	key := pair{origin, destination}
	r := f.routes[key]
	if r == nil {
		r = &route{distance: distance, delayMin: delay, delayMax: delay}
		f.routes[key] = r
	}
	r.flights++
	r.delaySum += int64(delay)
	if delay < r.delayMin {
		r.delayMin = delay
	}
	if delay > r.delayMax {
		r.delayMax = delay
	}
	if delay >= 15 {
		r.late++
	}
	r.delayMean = float64(r.delaySum) / float64(r.flights)
	r.lateShare = float64(r.late) / float64(r.flights)
}

const embeddedFile = "../../examples/etl/flights-200k.csv.gz"

// embedded calls fn with the records of the example's own file.
func embedded(t *testing.T, fn func(record []string)) {
	t.Helper()
	in, err := os.Open(embeddedFile)
	require.NoError(t, err)
	defer func() { require.NoError(t, in.Close()) }()
	unzipped, err := gzip.NewReader(in)
	require.NoError(t, err)
	lines := csv.NewReader(unzipped)
	header, err := lines.Read()
	require.NoError(t, err)
	require.Equal(t, []string{"date", "delay", "distance", "origin", "destination"}, header)
	for {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		fn(record)
	}
}

func figuresOfEmbedded(t *testing.T) *figures {
	t.Helper()
	f := newFigures()
	embedded(t, func(record []string) {
		delay, err := strconv.Atoi(record[1])
		require.NoError(t, err)
		distance, err := strconv.Atoi(record[2])
		require.NoError(t, err)
		f.add(unixSeconds(t, record[0]), delay, distance, record[3], record[4])
	})
	return f
}

// flight is a row of a Parquet file; the pointers fit optional columns.
type flight struct {
	Date        *int64  `parquet:"date,optional,timestamp(microsecond)"`
	Delay       *int64  `parquet:"delay,optional"`
	Distance    *int64  `parquet:"distance,optional"`
	Origin      *string `parquet:"origin,optional"`
	Destination *string `parquet:"destination,optional"`
}

func figuresOfParquet(t *testing.T, path string) *figures {
	t.Helper()
	in, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, in.Close()) }()
	rows := parquet.NewGenericReader[flight](in)
	defer func() { require.NoError(t, rows.Close()) }()
	f := newFigures()
	for some := make([]flight, 1000); ; {
		n, err := rows.Read(some)
		for _, row := range some[:n] {
			f.add(*row.Date/1e6, int(*row.Delay), int(*row.Distance), *row.Origin, *row.Destination)
		}
		if errors.Is(err, io.EOF) {
			return f
		}
		require.NoError(t, err)
	}
}

// requireTables compares both tables with the figures: every route exactly, and
// of the flights their number, that each number of a row is there once, and sums.
func requireTables(t *testing.T, session *gocql.Session, want *figures) {
	t.Helper()
	got := map[pair]*route{}
	rows := session.Query("SELECT origin, destination, distance, flights, late, delay_sum, delay_min, delay_max, " +
		"delay_mean, late_share FROM routes").Iter()
	for {
		var key pair
		var r route
		if !rows.Scan(&key.origin, &key.destination, &r.distance, &r.flights, &r.late, &r.delaySum, &r.delayMin,
			&r.delayMax, &r.delayMean, &r.lateShare) {
			break
		}
		got[key] = &r
	}
	require.NoError(t, rows.Close())
	require.Equal(t, want.routes, got)

	seen := make([]bool, want.flights)
	sums := newFigures()
	var seq, millis int64
	var delay, distance int
	rows = session.Query("SELECT seq, date, delay, distance FROM flights").PageSize(5000).Iter()
	for rows.Scan(&seq, &millis, &delay, &distance) {
		require.True(t, seq >= 1 && seq <= want.flights && !seen[seq-1], "flight number %d", seq)
		seen[seq-1] = true
		sums.flights++
		sums.delays += int64(delay)
		sums.distances += int64(distance)
		sums.dates += millis / 1000
	}
	require.NoError(t, rows.Close())
	require.False(t, slices.Contains(seen, false), "a flight is missing")
	require.Equal(t, []int64{want.flights, want.delays, want.distances, want.dates},
		[]int64{sums.flights, sums.delays, sums.distances, sums.dates})
}
