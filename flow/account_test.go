package flow_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// uses opens an account, keeps a page in it, and ends that as end says.
func uses(t *testing.T, b *flow.Budget, in *flow.Input, end func(kept *flow.Reservation)) {
	t.Helper()
	from, _ := page(t, in, 100)
	kept := b.Account("Batch", false).Reservation()
	kept.Take(from, 100)
	from.Finish(nil)
	end(kept)
}

func TestAccountsThatHaveNothingAnyMoreAreForgotten(t *testing.T) {
	for name, end := range map[string]func(*flow.Reservation){
		"what they kept is done with":   (*flow.Reservation).Settle,
		"it was handed on":              func(kept *flow.Reservation) { kept.Emit(); kept.Settle() },
		"their stage has failed":        func(kept *flow.Reservation) { kept.Finish(errTest) },
		"it failed while handing it on": func(kept *flow.Reservation) { kept.Emit(); kept.Finish(errTest) },
	} {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		for range 10_000 {
			uses(t, b, in, end)
			require.LessOrEqual(t, b.Accounts(), 32, name)
		}
		require.Zero(t, b.Usage().BytesInFlight, name)
	}
}

func TestAnAccountThatWasForgottenIsKnownAgainWhenItHasSomething(t *testing.T) {
	alone(t, "rows, or holds of receipts", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		bytes, receipts := b.Account("Bytes", false), b.Account("Receipts", false)
		for range 2 {
			from, _ := page(t, in, 100)
			both := []*flow.Reservation{bytes.Reservation(), receipts.Reservation()}
			both[0].Take(from, 100)
			both[1].Take(from, 0) // as a fold does
			from.Finish(nil)
			require.True(t, b.Knows(bytes))
			require.True(t, b.Knows(receipts))
			for range 100 {
				uses(t, b, in, (*flow.Reservation).Settle)
			}
			require.True(t, b.Knows(bytes))
			require.True(t, b.Knows(receipts))
			left, found := b.Unsettled()
			require.True(t, found)
			require.Equal(t, "Receipts", left.Stage)
			require.Equal(t, []string{"Bytes"}, left.Or)
			for _, kept := range both {
				kept.Settle()
			}
			for range 100 {
				uses(t, b, in, (*flow.Reservation).Settle)
			}
			require.False(t, b.Knows(bytes))
			require.False(t, b.Knows(receipts))
		}
		require.Equal(t, "Bytes", isHeld(t, holdAll(t, in, bytes.Reservation())).Stage)
	})
}

func TestNoAccountIsForgottenWhileItTakesAHold(t *testing.T) {
	b := flow.NewBudget(1 << 20)
	var all sync.WaitGroup
	for range 4 {
		in, account := b.NewInput("in"), b.Account("Fold", false)
		all.Go(func() {
			for range 2000 {
				from, _ := page(t, in, 1)
				kept := account.Reservation()
				kept.Take(from, 0)
				from.Finish(nil)
				if !b.Knows(account) {
					t.Error("it has a hold, and is not known")
				}
				kept.Settle()
				uses(t, b, in, (*flow.Reservation).Settle)
			}
		})
	}
	all.Wait()
}
