package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
)

const twoFlights = "date,delay,distance,origin,destination\n" +
	"2001-01-01T00:01:00Z,33,2176,LAS,PHL\n" +
	"2001-01-01T00:02:00Z,-13,2345,ANC,LAX\n"

var wantTwo = []Flight{
	{Origin: "LAS", Destination: "PHL", Date: time.Date(2001, 1, 1, 0, 1, 0, 0, time.UTC), Seq: 1, Delay: 33, Distance: 2176},
	{Origin: "ANC", Destination: "LAX", Date: time.Date(2001, 1, 1, 0, 2, 0, 0, time.UTC), Seq: 2, Delay: -13, Distance: 2345},
}

// written is a file with this content; its name says nothing of what it is.
func written(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flights.data")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func zipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(content)
	require.NoError(t, errors.Join(err, w.Close()))
	return out.Bytes()
}

// readAll returns the flights before the first error, and the error.
func readAll(path string) (flights []Flight, err error) {
	f, err := openFlights(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for flight, err := range f.rows {
		if err != nil {
			return flights, err
		}
		flights = append(flights, flight)
	}
	return flights, nil
}

func TestAFileIsToldByItsContent(t *testing.T) {
	for name, content := range map[string][]byte{
		"CSV":                    []byte(twoFlights),
		"CSV in gzip":            zipped(t, []byte(twoFlights)),
		"CSV of a spreadsheet":   []byte("\ufeff" + strings.ReplaceAll(twoFlights, "\n", "\r\n")),
		"CSV with other columns": []byte(reordered),
		"Parquet":                parquetOf(t, parquetTwo),
		"Parquet of nanoseconds": parquetOf(t, []nanoFlight{
			{978307260_000000000, 33, 2176, "LAS", "PHL"}, {978307320_000000000, -13, 2345, "ANC", "LAX"},
		}),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAll(written(t, content))
			require.NoError(t, err)
			require.Equal(t, wantTwo, got)
		})
	}
}

const reordered = "carrier,origin,destination,distance,delay,date\n" +
	"\"A,A\",LAS,PHL,2176,33,2001-01-01T01:01:00+01:00\n" +
	"UA,\"ANC\",LAX,2345,-13,2001-01-01T00:02:00Z\n"

func TestTheEmbeddedFileHas200000Flights(t *testing.T) {
	got, err := readAll("")
	require.NoError(t, err)
	require.Len(t, got, 200_000)
	require.Equal(t, wantTwo[0], got[0])
	require.EqualValues(t, 200_000, got[199_999].Seq)
}

func TestWhatIsWrongInAFileIsToldWithItsPlace(t *testing.T) {
	const header = "date,delay,distance,origin,destination\n"
	const good = "2001-01-01T00:01:00Z,33,2176,LAS,PHL\n"
	whole := zipped(t, []byte(strings.Repeat(twoFlights, 3)))
	for _, c := range []struct {
		name, content string
		says          []string
	}{
		{"nothing at all", "", []string{"empty", "date,delay"}},
		{"a missing column", "date,delay,distance,origin\n", []string{`no column "destination"`}},
		{"a number that is none", header + good + "2001-01-01T00:01:00Z,late,5,A,B\n", []string{"line 3, column delay", `"late"`}},
		{"a number that is too large", header + "2001-01-01T00:01:00Z,1,5000000000,A,B\n", []string{"line 2, column distance"}},
		{"a number with a fraction", header + "2001-01-01T00:01:00Z,1.5,5,A,B\n", []string{"line 2, column delay"}},
		{"a time that is none", header + good + good + "yesterday,1,5,A,B\n", []string{"line 4, column date", `"yesterday"`}},
		{"an airport that is empty", header + "2001-01-01T00:01:00Z,1,5,,B\n", []string{"line 2, column origin"}},
		{"an airport that is not UTF-8", header + "2001-01-01T00:01:00Z,1,5,A,\xff\n", []string{"line 2, column destination"}},
		{"a line that is too short", header + good + "2001-01-01T00:01:00Z,1\n", []string{"line 3", "fields"}},
		{"a quote that does not end", header + good + "\"2001\n", []string{"line 3"}},
		{"two things, the first in order", header + "x,y,z,,\n", []string{"line 2, column date"}},
		{"a line after one with a line break", header + "\"a\nb\",1,5,A,B\n", []string{"line 2, column date"}},
		{"gzip that breaks off", string(whole[:len(whole)/2]), []string{"flights.data", "EOF"}},
		{"gzip of nothing", string(zipped(t, nil)), []string{"empty"}},
		{"Parquet in gzip", string(zipped(t, parquetOf(t, parquetTwo))), []string{"unpack"}},
		{"Parquet that breaks off", string(parquetOf(t, parquetTwo)[:90]), []string{"flights.data"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readAll(written(t, []byte(c.content)))
			for _, part := range c.says {
				require.ErrorContains(t, err, part)
			}
			require.ErrorContains(t, err, "flights.data")
		})
	}
}

func TestAFolderIsNoFile(t *testing.T) {
	_, err := openFlights(t.TempDir())
	require.ErrorContains(t, err, "is a folder")
}

func TestThePositionEndsAtTheWhole(t *testing.T) {
	for name, content := range map[string][]byte{
		"CSV": []byte(twoFlights), "gzip": zipped(t, []byte(twoFlights)), "Parquet": parquetOf(t, parquetTwo),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := openFlights(written(t, content))
			require.NoError(t, err)
			defer func() { require.NoError(t, f.Close()) }()
			for _, err := range f.rows {
				require.NoError(t, err)
			}
			done, total := f.position()
			require.Positive(t, total)
			require.Equal(t, total, done)
		})
	}
}

func FuzzAnyContentGivesFlightsOrAnErrorThatNamesTheFile(f *testing.F) {
	f.Add([]byte(twoFlights))
	f.Add([]byte(reordered))
	f.Add([]byte("\x1f\x8b"))
	f.Add([]byte(parquetMagic + twoFlights))
	f.Fuzz(func(t *testing.T, content []byte) {
		if bytes.HasPrefix(content, []byte(parquetMagic)) {
			content = content[1:] // what is wrong inside Parquet is the library's own affair
		}
		_, err := readAll(written(t, content))
		if err != nil {
			require.ErrorContains(t, err, "flights.data")
		}
	})
}

type microFlight struct {
	Date        int64  `parquet:"date,timestamp(microsecond)"`
	Delay       int64  `parquet:"delay"`
	Distance    int32  `parquet:"distance,optional"`
	Origin      string `parquet:"origin"`
	Destination string `parquet:"destination"`
}

type nanoFlight struct {
	Date        int64  `parquet:"date,timestamp(nanosecond)"`
	Delay       int32  `parquet:"delay"`
	Distance    int32  `parquet:"distance"`
	Origin      string `parquet:"origin"`
	Destination string `parquet:"destination"`
}

var parquetTwo = []microFlight{
	{978307260_000000, 33, 2176, "LAS", "PHL"},
	{978307320_000000, -13, 2345, "ANC", "LAX"},
}

func parquetOf[T any](t *testing.T, rows []T) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, parquet.Write(&out, rows))
	return out.Bytes()
}
