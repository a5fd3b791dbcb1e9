package transfer_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// copyOrders is in docs/copy.md.
func copyOrders(ctx context.Context, out io.Writer, from, to transfer.Table) error {
	job, err := transfer.Copy(from, to, transfer.Create(), transfer.Rename("total", "cents"),
		transfer.WithCheckpoint(checkpoint.File("orders.checkpoint"), "orders"))
	if err != nil {
		return err
	}
	plan, err := job.Plan(ctx)
	if err != nil {
		return err
	}
	fmt.Fprint(out, plan)
	report, err := job.Run(ctx)
	fmt.Fprint(out, report)
	return err
}

func TestTransferCopyAsThePageHasIt(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	t.Chdir(t.TempDir())
	run(t, session, "CREATE TABLE orders (id int PRIMARY KEY, total bigint)", "INSERT INTO orders (id, total) VALUES (1, 250)")
	var out bytes.Buffer
	require.NoError(t, copyOrders(context.Background(), &out, transfer.Table{Session: session, Name: ks + ".orders"}, transfer.Table{Session: session, Name: ks + ".archive"}))
	require.Equal(t, []string{`{"id": 1, "cents": 250}`}, asJSON(t, session, "archive"))
	require.Contains(t, out.String(), "would create: CREATE TABLE IF NOT EXISTS")
	require.Contains(t, out.String(), "1 rows read, 1 written")
}
