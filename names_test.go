package rxcql_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
)

// Sources that are called as others are numbered.
func TestSourcesWhoseNumberedNamesAreTheSame(t *testing.T) {
	named := func(name string) rxcql.Stream[int] {
		parts := tens(1)
		parts.Name = name
		return parts.Stream()
	}
	p, err := rxcql.New(operators.Merge(named("X"), named("X"), named("X 2")), rxcql.Sink[int](&resuming{}),
		rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 30, rep.ReadRows)
}
