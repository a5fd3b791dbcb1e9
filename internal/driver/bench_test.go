package driver_test

import (
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/frame"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

// BenchmarkRowsOfAPage fetches and reads pages of 5000 rows of five columns.
// The server is in the same process and sends one frame, made once.
func BenchmarkRowsOfAPage(b *testing.B) {
	var columns []*message.ColumnMetadata
	var row message.Row
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		columns = append(columns, column(name, datatype.Varchar))
		row = append(row, []byte("some text of thirty-two letters!"))
	}
	data := make([]message.Row, 5000)
	for i := range data {
		data[i] = row
	}
	var page []byte
	s := serve(b, &script{results: columns, raw: func(in *frame.Frame) []byte {
		if page == nil {
			page = encode(b, in, rows(columns, nil, data...))
		}
		copy(page, header(in, primitive.OpCodeResult, len(page)-9))
		return page
	}})
	cells := make([][]byte, len(columns))
	b.ReportAllocs()
	for b.Loop() {
		p, err := s.Fetch(b.Context(), driver.Statement{CQL: selectV}, 5000, nil)
		require.NoError(b, err)
		for p.Scan(cells) {
		}
		require.NoError(b, p.Err())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(data)), "ns/row")
}
