package docs_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// degrees is what the program puts between its source and its sink.
func degrees(texts rxcql.Stream[string]) rxcql.Stream[float64] {
	parsed := operators.Map(texts, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
	return operators.Filter(parsed, func(c float64) bool { return c > -90 })
}

// of is a source in memory.
func of[T any](rows ...T) rxcql.Stream[T] {
	return source.Seq(func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	})
}

func TestImpossibleDegreesAreLeftOut(t *testing.T) {
	got, err := degrees(of("21.5", "-99", "14")).Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []float64{21.5, 14}, got)
}

func TestABadRowIsSkippedAndCounted(t *testing.T) {
	var written []float64
	out := sink.Each(func(_ context.Context, c float64) error {
		written = append(written, c)
		return nil
	})
	report, err := rxcql.Run(t.Context(), degrees(of("21.5", "noon", "14")), out, rxcql.WithRowErrors(rxcql.SkipRows(1)))
	require.NoError(t, err)
	require.Equal(t, []float64{21.5, 14}, written)
	require.EqualValues(t, 1, report.Skipped)
}

func TestAnErrorOfTheSourceEndsTheRun(t *testing.T) {
	lost := errors.New("lost")
	broken := source.Seq(func(yield func(string, error) bool) {
		_ = yield("21.5", nil) && yield("", lost)
	})
	_, err := degrees(broken).Collect(t.Context())
	require.ErrorIs(t, err, lost)
}

var errCut = errors.New("cut")

func TestRowsThatComeSlowlyAreHandedOnAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := rxcqltest.NewScript[string]().Page("21.5").Delay(time.Hour).Page("14").Fail(errCut)
		probe := rxcqltest.Observe(t, degrees(script.Stream()))
		probe.ExpectRows(21.5)
		probe.ExpectNothing(59 * time.Minute)
		probe.ExpectRows(14)
		probe.ExpectError(errCut)
	})
}

// even hands on every even number.
func even(in rxcql.Stream[int]) rxcql.Stream[int] {
	return operators.Filter(in, func(n int) bool { return n%2 == 0 })
}

func TestEvenKeepsTheRulesOfOperators(t *testing.T) {
	rxcqltest.TestOperator(t, func(testing.TB) rxcqltest.OperatorPlace[int, int] {
		return rxcqltest.OperatorPlace[int, int]{
			Operator: even,                                      // your operator here
			Row:      func(n int) int { return n },              // row number n
			From:     func(row int) []int { return []int{row} }, // which rows it is made of
			Drops:    func(n int) bool { return n%2 == 1 },      // which rows do not come out
		}
	})
}

func TestMyCheckpointStore(t *testing.T) {
	rxcqltest.TestCheckpointStore(t, func(t testing.TB) rxcqltest.CheckpointPlace {
		path := filepath.Join(t.TempDir(), "job.checkpoint") // an empty place for each rule
		return rxcqltest.CheckpointPlace{
			Store:  func() rxcql.CheckpointStore { return checkpoint.File(path) }, // your store here
			OneJob: true,                                                          // it keeps one job, whatever its name
		}
	})
}

// order is a row of the table that the test has.
type order struct {
	ID    int32 `cql:"id"`
	Euros int32 `cql:"euros"`
}

func TestOrdersAreReadThoughTheServerIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the waits between retries take no time
		server := cqlfake.New(t)
		server.Keyspace("shop", "orders (id int PRIMARY KEY, euros int)")
		server.Exec("INSERT INTO shop.orders (id, euros) VALUES (1, 20)")
		busy := server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Reads("shop.orders") {
				return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
			}
			return nil
		})
		time.AfterFunc(10*time.Second, busy)

		rows, err := source.Table[order](server.Session("shop"), "shop.orders").Collect(t.Context())
		require.NoError(t, err)
		require.Equal(t, []order{{1, 20}}, rows)
	})
}
