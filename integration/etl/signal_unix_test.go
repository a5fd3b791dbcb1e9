//go:build unix

package etl_test

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
)

func TestTheFirstSignalWritesWhatWasReadAndEndsWithItsCode(t *testing.T) {
	etl := build(t, "etl")
	for name, c := range map[string]struct {
		signal syscall.Signal
		code   int
	}{"SIGINT": {syscall.SIGINT, 130}, "SIGTERM": {syscall.SIGTERM, 143}} {
		t.Run(name, func(t *testing.T) {
			session, keyspace := cassandra.Keyspace(t, cluster)
			flights := startFeed(t)
			p := start(t, nil, etl, append(against(keyspace), "--json", "--flights", flights.path)...)
			flights.waitForLoading(t, p)
			require.NoError(t, p.cmd.Process.Signal(c.signal))
			got := p.wait(t, testWait)
			require.Equal(t, c.code, got.code, got.stderr)
			require.Contains(t, got.stderr, "interrupted")

			report := parsed(t, got.stdout)
			require.Equal(t, c.code, report.ExitCode)
			require.Contains(t, report.Error, "interrupted")
			require.Nil(t, report.Run, "the second step does not begin")
			require.False(t, report.Load.Complete)
			require.Equal(t, "Stop", report.Load.EndedBy)
			require.Positive(t, report.Load.ReadRows)
			require.Equal(t, report.Load.ReadRows, report.Load.Written)
			require.Equal(t, report.Load.Pages, report.Load.PagesSettled)
			var rows int64
			require.NoError(t, session.Query("SELECT count(*) FROM flights").Scan(&rows))
			require.Equal(t, report.Load.Written, rows, "what is reported written is there")
		})
	}
}

func TestASignalBeforeTheRunBeginsLeavesAReportToo(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // a server that never answers
	require.NoError(t, err)
	defer silent.Close()
	p := start(t, nil, build(t, "etl"), "--hosts", silent.Addr().String(), "--json")
	conn, err := silent.Accept()
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	got := p.wait(t, testWait)
	require.Equal(t, 143, got.code, got.stderr)
	report := parsed(t, got.stdout)
	require.Equal(t, 143, report.ExitCode)
	require.Contains(t, report.Error, "interrupted")
	require.Nil(t, report.Load)
}

func TestTheSecondSignalEndsItAtOnce(t *testing.T) {
	if len(cluster.Nodes()) == 0 {
		t.Log("the server cannot be frozen here; the second signal comes while it answers")
	}
	_, keyspace := cassandra.Keyspace(t, cluster)
	flights := startFeed(t)
	p := start(t, nil, build(t, "etl"), append(against(keyspace), "--flights", flights.path)...)
	flights.waitForLoading(t, p)
	for _, node := range cluster.Nodes() { // draining cannot end then
		require.NoError(t, node.Pause())
		defer func() { require.NoError(t, node.Resume()) }()
	}
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
	p.waitFor(t, "once more cancels at once")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
	began := time.Now()
	got := p.wait(t, testWait)
	require.Less(t, time.Since(began), rxcql.DefaultGrace, "it gives writes no time")
	require.Equal(t, 130, got.code, got.stderr)
}
