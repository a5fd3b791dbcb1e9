package rxcql_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

func TestAStopBeforeTheRunEndsThatRunBeforeItReadsAndNoOther(t *testing.T) {
	given := 0
	in := source.Seq(func(yield func(int, error) bool) {
		for i := range 10 {
			given++
			if !yield(i, nil) {
				return
			}
		}
	}, source.PageRows(1))
	to := &memory[int]{}
	p := pipeline(t, in, to)

	p.Stop()
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
	require.False(t, rep.Complete)
	require.LessOrEqual(t, given, 1)

	rep, err = p.Run(t.Context())
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, 10, rep.ReadRows)
}
