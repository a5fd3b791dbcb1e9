package deadletter_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// Rows that fail once more come to the end of the file that they are read from.
func TestLettersThatFailAgainAreNotReadForEver(t *testing.T) {
	path := file(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	policy := rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(path)))
	_, err := failing(make([]int, 3000)...).Count(ctx, policy)
	require.NoError(t, err)

	letters := source.Seq(deadletter.Read[int](path))
	rep, err := operators.Tap(letters, func(deadletter.Letter[int]) error { return errors.New("still wrong") }).
		ForEach(ctx, func(deadletter.Letter[int]) error { return nil }, policy)
	require.NoError(t, err)
	require.EqualValues(t, 3000, rep.ReadRows)
	require.EqualValues(t, 3000, rep.DeadLettered)
}
