package codec_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
)

// reading is the row of the design's measurements: a partition key that repeats, a time, two
// numbers and a text.
type reading struct {
	Sensor string    `cql:"sensor"`
	At     time.Time `cql:"at"`
	Seq    int64     `cql:"seq"`
	Value  float64   `cql:"value"`
	Note   string    `cql:"note"`
}

var readingColumns = []codec.Column{
	{Name: "sensor", Type: &codec.Type{Kind: codec.Text}},
	{Name: "at", Type: &codec.Type{Kind: codec.Timestamp}},
	{Name: "seq", Type: &codec.Type{Kind: codec.Bigint}},
	{Name: "value", Type: &codec.Type{Kind: codec.Double}},
	{Name: "note", Type: &codec.Type{Kind: codec.Text}},
}

// readingPages makes rows of 100 to a partition, sensor names of 12 bytes and notes of 20.
func readingPages(rows int) [][][]byte {
	out := make([][][]byte, rows)
	for i := range out {
		out[i] = [][]byte{
			fmt.Appendf(nil, "sensor-%05d", i/100),
			binary.BigEndian.AppendUint64(nil, 1_700_000_000_000+uint64(i)),
			binary.BigEndian.AppendUint64(nil, uint64(i)),
			binary.BigEndian.AppendUint64(nil, 0x4009_21fb_5444_2d18+uint64(i)),
			fmt.Appendf(nil, "note number %08d", i),
		}
	}
	return out
}

func BenchmarkDecode(b *testing.B) {
	rows := readingPages(1000)
	d, err := codec.NewDecoder[reading](readingColumns)
	require.NoError(b, err)
	for _, v := range []struct {
		name string
		d    *codec.Decoder[reading]
	}{{"as it is", d}, {"without ops", codec.WithoutOps(d)}, {"without sharing", codec.WithoutSharing(d)}} {
		b.Run(v.name, func(b *testing.B) {
			b.ReportAllocs()
			dst := make([]reading, len(rows))
			i := 0
			for b.Loop() {
				if _, err := v.d.Decode(rows[i], &dst[i]); err != nil {
					b.Fatal(err)
				}
				if i++; i == len(rows) {
					i = 0
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/5, "ns/column")
		})
	}
}

func BenchmarkDecodeByTheDriver(b *testing.B) {
	rows := readingPages(1000)
	var infos []gocql.TypeInfo
	for _, c := range readingColumns {
		infos = append(infos, c.Type.Info())
	}
	b.ReportAllocs()
	var dst reading
	dests := []any{&dst.Sensor, &dst.At, &dst.Seq, &dst.Value, &dst.Note}
	i := 0
	for b.Loop() {
		for c, cell := range rows[i] {
			if err := gocql.Unmarshal(infos[c], cell, dests[c]); err != nil {
				b.Fatal(err)
			}
		}
		if i++; i == len(rows) {
			i = 0
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/5, "ns/column")
}

func BenchmarkEncode(b *testing.B) {
	e, err := codec.NewEncoder[reading](readingColumns)
	require.NoError(b, err)
	row := reading{"sensor-00001", time.UnixMilli(1_700_000_000_000), 7, 3.14, "note number 00000001"}
	buf, cells := make([]byte, 0, 256), make([]codec.Cell, 5)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Encode(buf, &row, cells); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/5, "ns/column")
}

func BenchmarkEncodeByTheDriver(b *testing.B) {
	row := reading{"sensor-00001", time.UnixMilli(1_700_000_000_000), 7, 3.14, "note number 00000001"}
	b.ReportAllocs()
	for b.Loop() {
		for i, v := range []any{row.Sensor, row.At, row.Seq, row.Value, row.Note} {
			if _, err := gocql.Marshal(readingColumns[i].Type.Info(), v); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/5, "ns/column")
}

type collections struct {
	List   []int64             `cql:"list"`
	Set    map[string]struct{} `cql:"set"`
	Map    map[string]string   `cql:"map"`
	Vector []float32           `cql:"vector"`
}

func BenchmarkDecodeCollections(b *testing.B) {
	cols := []codec.Column{
		{Name: "list", Type: mustType(b, "list<bigint>")}, {Name: "set", Type: mustType(b, "set<text>")},
		{Name: "map", Type: mustType(b, "map<text, text>")}, {Name: "vector", Type: mustType(b, "vector<float, 128>")},
	}
	e, err := codec.NewEncoder[collections](cols)
	require.NoError(b, err)
	row := collections{[]int64{1, 2, 3, 4}, map[string]struct{}{"a": {}, "b": {}}, map[string]string{"k": "v", "l": "w"}, make([]float32, 128)}
	cells := make([]codec.Cell, 4)
	_, err = e.Encode(nil, &row, cells)
	require.NoError(b, err)
	for i, c := range cols {
		b.Run(c.Type.String(), func(b *testing.B) {
			raw := [][]byte{cells[i].Bytes}
			b.ReportAllocs()
			switch i {
			case 0:
				decodeOne[[]int64](b, c, raw)
			case 1:
				decodeOne[map[string]struct{}](b, c, raw)
			case 2:
				decodeOne[map[string]string](b, c, raw)
			case 3:
				decodeOne[[]float32](b, c, raw)
			}
		})
	}
}

func decodeOne[T any](b *testing.B, c codec.Column, raw [][]byte) {
	d, err := codec.NewDecoder[T]([]codec.Column{c})
	require.NoError(b, err)
	var dst T
	for b.Loop() {
		if _, err := d.Decode(raw, &dst); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSizeOf(b *testing.B) {
	size := codec.SizeOf[reading]()
	row := reading{"sensor-00001", time.UnixMilli(1_700_000_000_000), 7, 3.14, "note number 00000001"}
	for b.Loop() {
		_ = size(&row)
	}
}

func mustType(tb testing.TB, cql string) *codec.Type {
	tb.Helper()
	t, err := codec.Parse(cql, nil)
	require.NoError(tb, err)
	return t
}
