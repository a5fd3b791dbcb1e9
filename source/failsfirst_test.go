package source_test

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/cqltest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// waitFor waits until so many goroutines wait in a function.
func waitFor(n int, function string) {
	all := make([]byte, 4<<20)
	for found := 0; found < n; runtime.Gosched() {
		found = 0
		for g := range strings.SplitSeq(string(all[:runtime.Stack(all, true)]), "\n\n") {
			if state, calls, _ := strings.Cut(g, "\n"); strings.Contains(state, "[select") && strings.Contains(calls, function) {
				found++
			}
		}
	}
}

func TestAPageThatCannotBeReadIsTheFailureThoughAllOthersWaitForRoom(t *testing.T) {
	asked, held := make(chan struct{}), make(chan struct{})
	first := true
	s := &cqltest.Script{Statement: `SELECT "v" FROM "ks"."t" WHERE token("v") > ? AND token("v") <= ?`}
	s.Answer = func(int, string) ([]int32, string, message.Message) {
		if first { // of one worker; the other one has its room too
			first = false
			waitFor(2, "source.(*paged[...]).fetch")
			close(asked)
			<-held
			return nil, "more", nil
		}
		waitFor(2, "flow.(*Input).Reserve(") // the other worker, and holder
		return nil, "", &message.Invalid{ErrorMessage: "broken on purpose"}
	}
	var told error
	holder := rxcql.NewStream(rxcql.StageInfo{Name: "Holder", Source: true}, func(ctx context.Context, st *rxcql.Stage, _ flow.Observer[int32]) error {
		select {
		case <-asked:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		all, err := st.Input().Reserve(ctx, 1)
		if err != nil {
			return err
		}
		all.Resize(st.Run().Budget())
		kept := st.Account(false).Reservation()
		kept.Take(all, all.Bytes())
		all.Settle()
		close(held)
		context.AfterFunc(ctx, kept.Settle) // when the failure is known
		l, err := st.Input().Reserve(context.WithoutCancel(ctx), 1)
		if told = err; err == nil {
			l.Release()
			err = context.Cause(ctx)
		}
		return err
	})
	table := source.Table[int32](s.Start(t), "ks.t", source.Columns("v"), source.Splits(2))
	_, err := operators.Merge(holder, table).Count(t.Context(), rxcql.WithBudget(2*rxcql.MinBudgetPerInput), rxcql.WithWorkers(2))
	require.NoError(t, told)
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.ErrorContains(t, err, "broken on purpose")
}
