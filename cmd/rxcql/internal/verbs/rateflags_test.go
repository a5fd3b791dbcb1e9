package verbs_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/verbs"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/transfer"
)

// copied is how long it takes to copy two tables of so many rows side by side, with these flags, on
// the clock of synctest. A server answers after a while.
func copied(t *testing.T, rows int, latency time.Duration, flags ...string) (took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t, cqlfake.Latency(latency))
		server.Keyspace("shop", "a (id int, c int, v text, PRIMARY KEY (id, c))", "b (id int, c int, v text, PRIMARY KEY (id, c))",
			"aa (id int, c int, v text, PRIMARY KEY (id, c))", "bb (id int, c int, v text, PRIMARY KEY (id, c))")
		for i := range rows {
			for _, table := range []string{"a", "b"} {
				server.Exec(fmt.Sprintf("INSERT INTO shop.%s (id, c, v) VALUES (%d, %d, 'x')", table, i%10, i))
			}
		}
		options, err := verbs.OptionsOf(2, append(flags, "--workers", "1", "--splits", "1")...)
		require.NoError(t, err)
		session := server.Session("shop")
		start := time.Now()
		var group errgroup.Group
		for i, name := range []string{"a", "b"} {
			opts := []transfer.CopyOption{transfer.WithSplits(1)}
			for _, o := range options[i] {
				opts = append(opts, o)
			}
			group.Go(func() error {
				job, err := transfer.Copy(transfer.Table{Session: session, Name: "shop." + name}, transfer.Table{Session: session, Name: "shop." + name + name}, opts...)
				if err != nil {
					return err
				}
				report, err := job.Run(t.Context())
				if err == nil && report.Written != int64(rows) {
					err = fmt.Errorf("%d rows of %s were written", report.Written, name)
				}
				return err
			})
		}
		require.NoError(t, group.Wait())
		took = time.Since(start)
	})
	return took
}

func TestTheRateIsThatOfAllTablesTogether(t *testing.T) {
	free := copied(t, 1000, time.Millisecond)
	require.Less(t, free, 2*time.Second)
	slow := copied(t, 1000, time.Millisecond, "--rate", "100")
	require.Greater(t, slow, 19*time.Second, "2,000 rows at 100 a second, without the burst")
	require.Less(t, slow, 25*time.Second)
	bytes := copied(t, 1000, time.Millisecond, "--rate", "1000,900B")
	require.Greater(t, bytes, 15*time.Second, "each row has at least 8 bytes")
}

func TestTheRunSlowsDownWhileServersAreSlowerThanMaxLatency(t *testing.T) {
	const rows, latency = 4000, 100 * time.Millisecond
	free := copied(t, rows, latency, "--rate", "1000")
	require.Less(t, copied(t, rows, latency, "--rate", "1000", "--max-latency", "400ms"), free*11/10, "the servers are fast enough, also where a statement is prepared first")
	require.Greater(t, copied(t, rows, latency, "--rate", "1000", "--max-latency", "50ms"), free*3/2)
}
