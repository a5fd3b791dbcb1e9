package source_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/cqltest"
	"github.com/rxcql/rxcql/source"
)

// What a statement gives may change after Check has seen it.
func TestAPageWithTwoColumnsOfOneNameEndsTheRun(t *testing.T) {
	server := &cqltest.Script{Statement: "SELECT v FROM ks.t", Pages: [][]int32{{1, 2}}, Columns: []string{"v", "w", "v"}}
	_, err := source.Query[rxcql.Row](server.Start(t), server.Statement).Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.NotErrorIs(t, err, rxcql.ErrPanic)
	require.ErrorContains(t, err, `two columns are named "v"`)

	server.Columns = []string{"v", "w"}
	n, err := source.Query[rxcql.Row](server.Start(t), server.Statement).Count(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
}
