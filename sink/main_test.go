package sink_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/leak"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestMain(m *testing.M) { leak.Main(m) }

// event is a row of the table that the tests write: partition p, clustering c.
type event struct {
	P int64  `cql:"p"`
	C int32  `cql:"c"`
	V string `cql:"v"`
}

func column(name string, kind schema.Kind, typ string) schema.Column {
	t, err := codec.Parse(typ, nil)
	if err != nil {
		panic(err)
	}
	return schema.Column{Name: name, Kind: kind, Type: t}
}

func tableOf(columns ...schema.Column) *schema.Table {
	t := &schema.Table{Keyspace: "ks", Name: "t", Columns: columns}
	for _, c := range columns {
		switch c.Kind {
		case schema.PartitionKey:
			t.PartitionKey = append(t.PartitionKey, c)
		case schema.Clustering:
			t.ClusteringKey = append(t.ClusteringKey, c)
		}
	}
	return t
}

func events() *schema.Table {
	return tableOf(column("p", schema.PartitionKey, "bigint"), column("c", schema.Clustering, "int"),
		column("v", schema.Regular, "text"))
}

// recorder is a server that keeps what it was sent.
type recorder struct {
	mu     sync.Mutex
	sent   []sink.Sent
	refuse func(sink.Sent) error
}

func (r *recorder) send(_ context.Context, s sink.Sent) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse != nil {
		if err := r.refuse(s); err != nil {
			return err
		}
	}
	r.sent = append(r.sent, s)
	return nil
}

// requests are those so far, while the run goes on.
func (r *recorder) requests() []sink.Sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.sent)
}

func (r *recorder) rows() (rows []sink.SentRow) {
	for _, s := range r.sent {
		rows = append(rows, s.Rows...)
	}
	return rows
}

func sequence[T any](rows ...T) rxcql.Stream[T] {
	return source.Seq(func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	})
}

func run[T any](t *testing.T, in rxcql.Stream[T], out rxcql.Sink[T], opts ...rxcql.Option) (rxcql.Report, error) {
	t.Helper()
	p, err := rxcql.New(in, out, opts...)
	require.NoError(t, err)
	return p.Run(context.Background())
}

// partitions makes so many rows of so many partitions, one after the other.
func partitions(n, rows int) []event {
	var all []event
	for p := range n {
		for c := range rows {
			all = append(all, event{int64(p), int32(c), "v"})
		}
	}
	return all
}
