package docs_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// serve starts a Cassandra, says where it is, and stops it when ctx ends.
func serve(ctx context.Context, out io.Writer) error {
	cluster, err := cassandra.Start(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "export CASSANDRA_HOSTS=%s\n", strings.Join(cluster.Hosts(), ","))
	<-ctx.Done()
	return cluster.Stop()
}

func TestACassandraForTrialsSaysWhereItIs(t *testing.T) {
	hosts := strings.Join(cluster.Hosts(), ",")
	t.Setenv("CASSANDRA_HOSTS", hosts) // so it is that of the other tests, which Stop leaves alone
	t.Setenv("RXCQL_CASSANDRA", "")
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- serve(ctx, out) }()
	said := make([]byte, 1000)
	n, err := in.Read(said)
	require.NoError(t, err)
	require.Equal(t, "export CASSANDRA_HOSTS="+hosts+"\n", string(said[:n]))
	cancel()
	require.NoError(t, <-done)
}
