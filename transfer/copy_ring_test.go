package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
	"github.com/rxcql/rxcql/transfer"
)

// Each run finds a ring of other tokens than the one before.
func TestACopyGoesOnWhenTheRingHasOtherTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const table = " (p int, c int, v text, PRIMARY KEY (p, c))"
		const partitions, each = 40, 20
		server := cqlfake.New(t, cqlfake.Latency(20*time.Millisecond))
		server.Keyspace("ks", "t"+table, "u"+table)
		for p := range partitions {
			for c := range each {
				server.Exec(fmt.Sprintf("INSERT INTO ks.t (p, c, v) VALUES (%d, %d, '%s')", p, c, strings.Repeat("v", 200)))
			}
		}
		rings := [][]string{{"0"}, {"-7000000000000000000", "5", "4000000000000000000"}, {"-9", "8000000000000000000"}}
		written := 0
		server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Writes("ks.u") {
				written += len(r.Statements)
			}
			return nil
		})
		store, errCut := &jobtest.Store{}, errors.New("cut")
		runs := 0
		for ; ; runs++ {
			require.Less(t, runs, 200)
			server.Tokens(rings[runs%len(rings)]...)
			session := server.Session("ks")
			ctx, cut := context.WithCancelCause(t.Context())
			pages := 0
			hooks := rxcql.Hooks{PageRead: func(_ context.Context, e rxcql.PageEvent) {
				if pages++; pages == 8 {
					cut(errCut)
				}
			}}
			job, err := transfer.Copy(transfer.Table{Session: session, Name: "ks.t"}, transfer.Table{Session: session, Name: "ks.u"},
				transfer.WithWorkers(1), transfer.WithSplits(6), transfer.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)),
				transfer.WithRun(rxcql.WithBudget(64<<10), rxcql.WithHooks(hooks)))
			require.NoError(t, err)
			report, err := job.Run(ctx)
			cut(nil)
			if err == nil {
				require.EqualValues(t, partitions*each, report.ReadRows+report.ResumedRows)
				break
			}
			require.ErrorIs(t, err, errCut)
		}
		require.Greater(t, runs, 2)
		require.Less(t, written, 2*partitions*each, "what was settled is not written again")
		n, err := source.Table[rxcql.Row](server.Session("ks"), "ks.u").Count(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, partitions*each, n)
	})
}
