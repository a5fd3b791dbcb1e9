package sink_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
)

// sentAs counts what was sent of each row, without its timestamp.
func sentAs(t *testing.T, all []sink.Sent) map[string]int {
	t.Helper()
	rows := map[string]int{}
	for _, s := range all {
		for _, r := range s.Rows {
			rows[fmt.Sprintf("%s %d %#v", r.CQL, r.TTL, r.Values)]++
		}
	}
	return rows
}

func TestRowsAreSentAsWithoutTheOption(t *testing.T) {
	about := tableOf(column("a", schema.PartitionKey, "text"), column("b", schema.PartitionKey, "bigint"),
		column("v", schema.Regular, "tuple<int, text>"), column("w", schema.Regular, "int"))
	type row struct {
		A string `cql:"a"`
		B int64  `cql:"b"`
		V *struct {
			X int32
			Y *string
		} `cql:"v"`
		W *int32 `cql:"w"`
	}
	var rows []row
	for i := range 500 {
		r := row{A: strings.Repeat("k", i%7), B: int64(i % 90)}
		if i%3 > 0 {
			r.V = &struct {
				X int32
				Y *string
			}{X: int32(i)}
			if y := "y"; i%5 > 0 {
				r.V.Y = &y
			}
		}
		if i%2 > 0 {
			w := int32(i)
			r.W = &w
		}
		rows = append(rows, r)
	}
	ttl := sink.TTLOf(func(r row) time.Duration { return time.Duration(r.B%3) * time.Hour })
	for name, opts := range map[string][]sink.TableOption{
		"upserts": nil, "with times to live": {ttl}, "nulls that delete": {sink.NullsDelete()}, "deletes": {sink.Delete()},
		"with timestamps of their own": {sink.TimestampOf(func(r row) int64 { return r.B + 1 })},
	} {
		t.Run(name, func(t *testing.T) {
			alone, together, inOrder := &recorder{}, &recorder{}, &recorder{}
			_, err := run(t, sequence(rows...), sink.TableOn[row](alone.send, about, opts...))
			require.NoError(t, err)
			_, err = run(t, sequence(rows...), sink.TableOn[row](together.send, about, append(opts, sink.BatchByReplicaSet(0, 0))...))
			require.NoError(t, err)
			require.Equal(t, sentAs(t, alone.sent), sentAs(t, together.sent))
			require.Less(t, len(together.sent), len(alone.sent)/4)
			_, err = run(t, sequence(rows...), sink.TableOn[row](inOrder.send, about, append(opts, byToken()...)...))
			require.NoError(t, err)
			require.Equal(t, sentAs(t, alone.sent), sentAs(t, inOrder.sent))
			if name == "with timestamps of their own" {
				for _, r := range together.rows() {
					require.EqualValues(t, binary.BigEndian.Uint64(r.Values[1].([]byte))+1, r.Timestamp)
				}
			}
		})
	}
}
