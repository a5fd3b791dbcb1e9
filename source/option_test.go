package source_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

func TestANilOptionIsReportedByEverySource(t *testing.T) {
	for name, stream := range map[string]rxcql.Stream[int]{
		"Seq":   source.Seq(func(func(int, error) bool) {}, nil),
		"Chan":  source.Chan(make(chan int), nil),
		"Query": source.Query[int](nil, "SELECT v FROM ks.t", nil),
		"Table": source.Table[int](nil, "ks.t", source.Columns("v"), nil),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := stream.Count(t.Context())
			require.ErrorIs(t, err, rxcql.ErrConfig)
			require.ErrorContains(t, err, "an option is nil")
		})
	}
}

func TestAColumnNamedTwiceIsReportedBeforeAnythingIsRead(t *testing.T) {
	for name, opts := range map[string][]source.TableOption{
		"in one option":  {source.Columns("k", "v", "v")},
		"in two options": {source.Columns("k", "v"), source.Columns("v")},
	} {
		_, err := source.Table[rxcql.Row](nil, "ks.t", opts...).Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig, name)
		require.ErrorContains(t, err, `Columns: "v" is named twice: name each column once`, name)
	}
}
