package source_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// flown is a row of the size that people load.
type flown struct {
	At     time.Time `cql:"at" json:"at"`
	Delay  int       `cql:"delay" json:"delay"`
	Miles  int       `cql:"miles" json:"miles"`
	From   string    `cql:"from" json:"from"`
	To     string    `cql:"to" json:"to"`
	Remark *string   `cql:"remark" json:"remark"`
}

const benchRows = 20_000

func benchFiles(b *testing.B) (csv, ndjson string, rows []flown) {
	b.Helper()
	var c, n bytes.Buffer
	c.WriteString("at,delay,miles,from,to,remark\n")
	for i := range benchRows {
		at := time.Date(2001, 1, 1, 0, i, 0, 0, time.UTC)
		fmt.Fprintf(&c, "%s,%d,%d,SFO,LAX,\n", at.Format(time.RFC3339), i%90-10, i%3000)
		fmt.Fprintf(&n, "{\"at\":%q,\"delay\":%d,\"miles\":%d,\"from\":\"SFO\",\"to\":\"LAX\",\"remark\":null}\n", at.Format(time.RFC3339), i%90-10, i%3000)
		rows = append(rows, flown{At: at, Delay: i%90 - 10, Miles: i % 3000, From: "SFO", To: "LAX"})
	}
	csv, ndjson = filepath.Join(b.TempDir(), "in.csv"), filepath.Join(b.TempDir(), "in.ndjson")
	require.NoError(b, os.WriteFile(csv, c.Bytes(), 0o600))
	require.NoError(b, os.WriteFile(ndjson, n.Bytes(), 0o600))
	return csv, ndjson, rows
}

func BenchmarkFiles(b *testing.B) {
	csv, ndjson, rows := benchFiles(b)
	read := func(in rxcql.Stream[flown]) func(b *testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n, err := in.Count(context.Background())
				require.NoError(b, err)
				require.EqualValues(b, benchRows, n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		}
	}
	write := func(to rxcql.Sink[flown]) func(b *testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := rxcql.New(source.Seq(func(yield func(flown, error) bool) {
					for _, row := range rows {
						if !yield(row, nil) {
							return
						}
					}
				}), to)
				require.NoError(b, err)
				_, err = p.Run(context.Background())
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		}
	}
	b.Run("read CSV", read(source.CSV[flown](csv)))
	b.Run("read NDJSON", read(source.NDJSON[flown](ndjson)))
	b.Run("write CSV", write(sink.CSV[flown](filepath.Join(b.TempDir(), "out.csv"), sink.Overwrite())))
	b.Run("write NDJSON", write(sink.NDJSON[flown](filepath.Join(b.TempDir(), "out.ndjson"), sink.Overwrite())))
}
