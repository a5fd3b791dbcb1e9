package operators_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
)

func TestARowThatFailsInALaneIsLeftOutAndNamedByItsPlace(t *testing.T) {
	bad := func(n int) error {
		if n%100 == 42 {
			return errBad
		}
		return nil
	}
	letters := &jobtest.Letters{}
	out := &gather[int]{}
	rep, err := rxcql.Run(t.Context(), laned(count(1000, 70), 4, bad), out, rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, 10, rep.DeadLettered)
	require.EqualValues(t, 990, rep.Written)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Len(t, letters.All, 10)
	for _, letter := range letters.All {
		n := int(letter.Page)*70 + letter.Index
		require.Equal(t, fmt.Sprint(n), string(letter.Row))
		require.Regexp(t, `^Map \(lane \d\)$`, letter.Stage)
	}

	_, err = laned(count(1000, 70), 4, func(n int) error {
		if n == 642 {
			return errBad
		}
		return nil
	}).Count(t.Context())
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.Equal(t, []int64{9, 12}, []int64{row.Page, int64(row.Row)})

	rep, err = rxcql.Run(t.Context(), laned(count(1000, 70), 4, bad), &gather[int]{}, rxcql.WithRowErrors(rxcql.SkipRows(10)))
	require.NoError(t, err)
	require.EqualValues(t, 10, rep.Skipped)
}

func TestOperatorsThatDropRowsInALaneLeaveThePlaceOfALaterOneThatFailsAsTheyHaveIt(t *testing.T) {
	_, err := operators.Lanes(count(10, 10), 1, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.Map(operators.Filter(in, func(n int) bool { return n > 3 }), func(n int) (int, error) {
			if n == 6 {
				return 0, errBad
			}
			return n, nil
		})
	}).Count(t.Context())
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.Equal(t, 2, row.Row, "as without lanes")
}
