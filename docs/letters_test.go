package docs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type Order struct {
	ID     int64   `cql:"id"`
	Amount float64 `cql:"amount"`
}

// checked refuses orders that cannot be right.
func checked(orders rxcql.Stream[Order]) rxcql.Stream[Order] {
	return operators.Tap(orders, func(o Order) error {
		if o.Amount < 0 {
			return errors.New("an amount below zero")
		}
		return nil
	})
}

func loadOrders(ctx context.Context, path string, to rxcql.Sink[Order]) (rxcql.Report, error) {
	orders := checked(source.CSV[Order](path))
	report, err := rxcql.Run(ctx, orders, to,
		rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON("letters.ndjson"))))
	return report, err
}

func loadLetters(ctx context.Context, path string, to rxcql.Sink[Order]) (rxcql.Report, error) {
	letters := source.Seq(deadletter.Read[Order](path, deadletter.Stages("Tap")))
	orders := operators.Map(letters, func(l deadletter.Letter[Order]) (Order, error) {
		l.Row.Amount = -l.Row.Amount
		return l.Row, nil
	})
	report, err := rxcql.Run(ctx, checked(orders), to)
	return report, err
}

// linesOf writes the lines of orders.csv that became letters into a file of their own, with
// their header, and a comma where a semicolon was.
func linesOf(letters, path string) error {
	var text strings.Builder
	fmt.Fprintln(&text, "id,amount")
	for letter, err := range deadletter.Read[string](letters, deadletter.Stages("CSV orders.csv")) {
		if err != nil {
			return err
		}
		fmt.Fprintln(&text, strings.Replace(letter.Row, ";", ",", 1))
	}
	return os.WriteFile(path, []byte(text.String()), 0o600)
}

func TestLettersAreLoadedAgain(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("orders.csv", []byte("id,amount\n1,10\n2,-20\n3;30\n4,40\n"), 0o600))
	stored := map[int64]float64{}
	store := sink.Each(func(_ context.Context, o Order) error {
		stored[o.ID] = o.Amount
		return nil
	})
	report, err := loadOrders(t.Context(), "orders.csv", store)
	require.NoError(t, err)
	require.EqualValues(t, 2, report.DeadLettered, report)
	require.NoError(t, os.Rename("letters.ndjson", "letters-1.ndjson"))

	_, err = loadLetters(t.Context(), "letters-1.ndjson", store)
	require.NoError(t, err)
	require.Equal(t, map[int64]float64{1: 10, 2: 20, 4: 40}, stored)

	require.NoError(t, linesOf("letters-1.ndjson", "orders-1.csv"))
	report, err = loadOrders(t.Context(), "orders-1.csv", store)
	require.NoError(t, err)
	require.Zero(t, report.DeadLettered)
	require.Equal(t, map[int64]float64{1: 10, 2: 20, 3: 30, 4: 40}, stored)
}
