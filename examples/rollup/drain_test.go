package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// The server has the write of the post and does not acknowledge it before the service drains.
func TestAPostWhoseWriteIsUnderWayWhenTheServiceDrainsIsAnsweredWhenItIsWritten(t *testing.T) {
	fake := withTables(t, "readings", "rollups", "devices")
	s := servedBy(t, fake, "--write-deadline", "10m")
	s.cfg.limits.drain = 10 * time.Minute // that of users is for a client that waits
	session := fake.Session("rollup")
	begun, ready := make(chan struct{}), make(chan struct{})
	var writing atomic.Bool
	fake.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if !writes(r) {
			return nil
		}
		if !writing.Swap(true) {
			close(begun)
		}
		return cqlfake.Tables().When(ready)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, signal := context.WithCancel(t.Context())
	defer signal()
	ended := make(chan error, 1)
	go func() { ended <- s.serveOn(ctx, listener) }()
	type told struct {
		status int
		text   string
		err    error
	}
	answered := make(chan told, 1)
	go func() {
		defer http.DefaultClient.CloseIdleConnections()
		answer, err := http.Post("http://"+listener.Addr().String()+"/readings", "application/x-ndjson", strings.NewReader(lines(3)))
		if err != nil {
			answered <- told{err: err}
			return
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		answered <- told{answer.StatusCode, string(text), err}
	}()
	<-begun
	signal()
	require.Eventually(t, s.drains.Load, 5*time.Minute, time.Millisecond) // ends a hang
	select {
	case got := <-answered:
		require.Fail(t, "answered before it is written", got)
	case err := <-ended:
		require.Fail(t, "the service has ended", err)
	default:
	}
	close(ready)
	got := <-answered
	require.NoError(t, got.err)
	require.Equal(t, http.StatusOK, got.status, got.text)
	require.NoError(t, <-ended)
	rows, err := source.Table[Reading](session, "rollup.readings").Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, rows, 3)
}
