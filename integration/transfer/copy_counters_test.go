package transfer_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

func TestTransferCopyCountsEachCounterOnce(t *testing.T) {
	source, from := cassandra.Keyspace(t, cluster)
	target, to := cassandra.Keyspace(t, cluster)
	run(t, source, "CREATE TABLE hits (p int, c int, total counter static, n counter, m counter, PRIMARY KEY (p, c))",
		"UPDATE hits SET n = n + 5, m = m - 7 WHERE p = 1 AND c = 1", "UPDATE hits SET n = n + 1 WHERE p = 1 AND c = 2",
		"UPDATE hits SET total = total + 40 WHERE p = 1", "UPDATE hits SET total = total + 2 WHERE p = 2",
		"UPDATE hits SET n = n + 9223372036854775807 WHERE p = 3 AND c = 1")
	for range 300 { // more rows of one partition than a page or a batch has need of
		run(t, source, "UPDATE hits SET n = n + 3 WHERE p = 4 AND c = 1")
	}
	rep := copied(t, source, target, from+".hits", to+".hits", transfer.Create(), transfer.Counters(), transfer.WithSplits(3))
	require.NotNil(t, rep.StaticCounters)
	require.EqualValues(t, 2, rep.StaticCounters.Written, "partitions that have one")
	require.Equal(t, asJSON(t, source, "hits"), asJSON(t, target, "hits"))

	// A second copy would count twice.
	refusedRun(t, transfer.Table{Session: source, Name: from + ".hits"}, transfer.Table{Session: target, Name: to + ".hits"}, "has rows already")
	require.Equal(t, asJSON(t, source, "hits"), asJSON(t, target, "hits"))
}

func refusedRun(t *testing.T, from, to transfer.Table, text string) {
	t.Helper()
	job, err := transfer.Copy(from, to, transfer.Counters())
	require.NoError(t, err)
	_, err = job.Run(context.Background())
	require.ErrorContains(t, err, text)
}

func TestTransferCopyOfCountersIsNoJobAndKeepsNoTimes(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE a (p int PRIMARY KEY, n counter)", "CREATE TABLE b (p int PRIMARY KEY, n counter)")
	table := transfer.Table{Session: session, Name: ks + ".a"}
	_, err := transfer.Copy(table, transfer.Table{Session: session, Name: ks + ".b"}, transfer.Counters(), transfer.WithTimes(),
		transfer.WithShard(0, 2), transfer.WithCheckpoint(checkpoint.File(filepath.Join(t.TempDir(), "job")), "job"))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "would count rows twice")
	require.ErrorContains(t, err, "WithTimes")
	require.ErrorContains(t, err, "WithShard")
}

func TestTransferCopyOfCountersIntoNumbersCanBeRepeated(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE a (p int PRIMARY KEY, n counter)", "CREATE TABLE b (p int PRIMARY KEY, n bigint)",
		"UPDATE a SET n = n + 12 WHERE p = 1", "UPDATE a SET n = n - 3 WHERE p = 2")
	for range 2 {
		copied(t, session, session, ks+".a", ks+".b")
		require.Equal(t, asJSON(t, session, "a"), asJSON(t, session, "b"))
	}
}
