package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/transfer"
)

// manyPages is how many rows a partition has that comes in several pages with smallPages.
const manyPages = 400

// smallPages is a budget in which a page has few rows.
var smallPages = rxcql.WithBudget(64 << 10)

// withStatics makes ks.t with three partitions of many rows and the static columns "static0" to
// "static2", and an empty ks.u. written returns the static columns that were written to ks.u,
// sorted.
func withStatics(t *testing.T) (server *cqlfake.Server, session *gocql.Session, pages *atomic.Int64, written func() []string) {
	t.Helper()
	server = cqlfake.New(t, cqlfake.Latency(20*time.Millisecond))
	const table = " (p int, c int, s text STATIC, v text, PRIMARY KEY (p, c))"
	server.Keyspace("ks", "t"+table, "u"+table)
	for p := range 3 {
		server.Exec(fmt.Sprintf("INSERT INTO ks.t (p, s) VALUES (%d, 'static%d')", p, p))
		for c := range manyPages {
			server.Exec(fmt.Sprintf("INSERT INTO ks.t (p, c, v) VALUES (%d, %d, '%s')", p, c, strings.Repeat("v", 200)))
		}
	}
	var all []string
	pages = new(atomic.Int64)
	server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Reads("ks.t") && len(r.PageState) > 0 {
			pages.Add(1)
		}
		if !r.Writes("ks.u") {
			return nil
		}
		for _, s := range r.Statements {
			for _, v := range s.Values {
				if bytes.HasPrefix(v.Bytes, []byte("static")) {
					all = append(all, string(v.Bytes))
				}
			}
		}
		return nil
	})
	return server, server.Session("ks"), pages, func() []string { return slices.Sorted(slices.Values(all)) }
}

func staticsCopy(t *testing.T, session *gocql.Session, opts ...transfer.CopyOption) (transfer.CopyReport, error) {
	t.Helper()
	job, err := transfer.Copy(transfer.Table{Session: session, Name: "ks.t"}, transfer.Table{Session: session, Name: "ks.u"}, append(opts, transfer.WithSplits(4), transfer.WithRun(smallPages))...)
	require.NoError(t, err)
	return job.Run(t.Context())
}

func TestACopyWritesStaticColumnsOnceAPartitionOfManyPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, session, pages, written := withStatics(t)
		report, err := staticsCopy(t, session)
		require.NoError(t, err)
		require.EqualValues(t, 3*manyPages, report.Written)
		require.Greater(t, pages.Load(), int64(3), "pages behind the first one of a range")
		require.Equal(t, []string{"static0", "static1", "static2"}, written())
	})
}

func TestACopyWritesStaticColumnsAgainThatHaveChangedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, session, pages, written := withStatics(t)
		var once sync.Once
		changes := rxcql.Hooks{PageRead: func(_ context.Context, e rxcql.PageEvent) {
			if e.Rows > 0 { // of one partition, which goes on in the next page
				once.Do(func() {
					for p := range 3 {
						server.Exec(fmt.Sprintf("INSERT INTO ks.t (p, s) VALUES (%d, 'static9')", p))
					}
				})
			}
		}}
		_, err := staticsCopy(t, session, transfer.WithRun(rxcql.WithHooks(changes)), transfer.WithWorkers(1))
		require.NoError(t, err)
		require.Greater(t, pages.Load(), int64(3))
		require.Len(t, written(), 4)
		require.Equal(t, []string{"static9", "static9", "static9"}, written()[1:])
	})
}

func TestACopyThatGoesOnInsideAPartitionWritesItsStaticColumns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, session, _, written := withStatics(t)
		store, errCut := &jobtest.Store{}, errors.New("cut")
		for runs := 0; ; runs++ {
			require.Less(t, runs, 1000)
			ctx, cut := context.WithCancelCause(t.Context())
			pages := 0
			hooks := rxcql.Hooks{
				PageRead: func(context.Context, rxcql.PageEvent) {
					if pages++; pages == 3 {
						cut(errCut)
					}
				},
			}
			job, err := transfer.Copy(transfer.Table{Session: session, Name: "ks.t"}, transfer.Table{Session: session, Name: "ks.u"},
				transfer.WithWorkers(1), transfer.WithSplits(1), transfer.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)), transfer.WithRun(smallPages, rxcql.WithHooks(hooks)))
			require.NoError(t, err)
			_, err = job.Run(ctx)
			cut(nil)
			if err == nil {
				break
			}
			require.ErrorIs(t, err, errCut)
		}
		all := written()
		require.Greater(t, len(all), 3)
		require.Equal(t, []string{"static0", "static1", "static2"}, slices.Compact(all))
	})
}
