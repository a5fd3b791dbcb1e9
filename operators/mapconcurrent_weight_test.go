package operators_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

var bothKinds = map[string][]operators.MapConcurrentOption{"in order": nil, "unordered": {operators.Unordered()}}

// inFlight runs texts of these lengths, which come in one page, through MapConcurrent. It returns
// the bytes in flight whenever results are handed on, and after all calls but those that take
// longer than a minute.
func inFlight(t *testing.T, rows []int, n int, call func(row string) string, opts ...operators.MapConcurrentOption) (handedOn []int64, late int64) {
	t.Helper()
	texts := operators.FlatMap(count(1, 1), func(_ int, emit func(string) bool) error {
		for _, length := range rows {
			emit(strings.Repeat("x", length))
		}
		return nil
	})
	var p *rxcql.Pipeline
	results := operators.MapConcurrent(texts, n, func(_ context.Context, row string) (string, error) { return call(row), nil }, opts...)
	p, err := rxcql.New(results, &gather[string]{took: func(results []string) error {
		if len(results) > 0 { // the end of a range need not have any
			handedOn = append(handedOn, p.Progress().BytesInFlight)
		}
		return nil
	}})
	require.NoError(t, err)
	var after atomic.Int64
	timer := time.AfterFunc(time.Minute, func() { after.Store(p.Progress().BytesInFlight) })
	defer timer.Stop()
	_, err = p.Run(context.Background())
	require.NoError(t, err)
	return handedOn, after.Load()
}

func TestALargeRowThatIsHeldIsNotGivenBackWithTheSmallOnes(t *testing.T) {
	const large = 500 << 10
	for name, opts := range bothKinds {
		synctest.Test(t, func(t *testing.T) {
			handedOn, late := inFlight(t, []int{10, 10, 10, 10, 10, 10, 10, large}, 8, func(row string) string {
				time.Sleep(time.Duration(len(row)) * time.Second)
				return row
			}, opts...)
			for _, bytes := range handedOn {
				require.Greater(t, bytes, int64(large), name)
			}
			places := 8 * 8 // of the page's rows, kept until the last is delivered
			if len(opts) == 0 {
				places += 8 * (16 + 1) // and of their results
			}
			require.EqualValues(t, large+16+places, late, "%s: the row and what a string is", name)
		})
	}
}

func TestSmallResultsOfLargeRowsGiveTheDifferenceBack(t *testing.T) {
	const large = 50 << 10
	rows := make([]int, 16)
	for i := range rows {
		rows[i] = large
	}
	for name, opts := range bothKinds {
		synctest.Test(t, func(t *testing.T) {
			first := make(chan struct{}, 1)
			first <- struct{}{}
			_, late := inFlight(t, rows, len(rows), func(string) string {
				select {
				case <-first: // one of them; those behind it may have to wait
					time.Sleep(time.Hour)
				default:
				}
				return ""
			}, opts...)
			require.Greater(t, late, int64(large), name)
			require.Less(t, late, int64(large+large/2), name)
		})
	}
}

func TestResultsLargerThanTheirRowsAreChargedOnceAndGivenBackAsTheyLand(t *testing.T) {
	const size, slack = 1 << 10, 4 << 10
	for name, opts := range bothKinds {
		synctest.Test(t, func(t *testing.T) {
			handedOn, _ := inFlight(t, make([]int, 100), 1, func(string) string {
				time.Sleep(time.Millisecond) // each lands alone
				return strings.Repeat("x", size)
			}, opts...)
			require.Len(t, handedOn, 100, name)
			for i, bytes := range handedOn {
				rest := int64(100-i) * 16
				require.GreaterOrEqual(t, bytes, rest+size-slack, "%s, result %d", name, i)
				require.LessOrEqual(t, bytes, rest+size+slack, "%s, result %d", name, i)
			}
		})
	}
}
