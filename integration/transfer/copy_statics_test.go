package transfer_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

func TestTransferCopyDoesNotWriteALargeStaticColumnWithEveryRow(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE t (p int, c int, s text static, v int, PRIMARY KEY (p, c))")
	const rows, size = 500, 4 << 10
	for c := range rows {
		run(t, session, fmt.Sprintf("INSERT INTO t (p, c, v) VALUES (1, %d, %d)", c, c))
	}
	require.NoError(t, session.Query("INSERT INTO t (p, s) VALUES (1, ?)", strings.Repeat("s", size)).Exec())
	var bytes, pages atomic.Int64
	hooks := rxcql.Hooks{
		WriteEnd: func(_ context.Context, e rxcql.WriteEvent) { bytes.Add(e.Bytes) },
		PageRead: func(context.Context, rxcql.PageEvent) { pages.Add(1) },
	}
	copied(t, session, session, ks+".t", ks+".copied", transfer.Create(), transfer.WithRun(rxcql.WithHooks(hooks)))
	require.Equal(t, asJSON(t, session, "t"), asJSON(t, session, "copied"))
	require.Greater(t, pages.Load(), int64(1))
	require.Less(t, bytes.Load(), int64(2*size+rows*100), "once")
}
