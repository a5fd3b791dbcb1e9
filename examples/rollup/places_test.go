package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// patience ends a hang.
const patience = 5 * time.Minute

// listening is an ingest behind a real connection, whose pipeline runs.
func listening(t *testing.T, cfg config) (in *ingest, address string) {
	t.Helper()
	server := withTables(t, "readings", "devices")
	in = newIngest(server.Session("rollup"), "rollup", cfg, newMetrics())
	p, err := in.pipeline(nil)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		_, err := p.Run(t.Context())
		ended <- err
	}()
	listener := httptest.NewServer(in)
	t.Cleanup(func() { p.Stop(); listener.CloseClientConnections(); listener.Close() })
	return in, listener.Listener.Addr().String()
}

// slowBody is a client that has sent the beginning of a body.
type slowBody struct {
	net.Conn
	rest string
}

func slowly(t *testing.T, address string) slowBody {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	body := lines(1)
	_, err = fmt.Fprintf(conn, "POST /readings HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:5])
	require.NoError(t, err)
	return slowBody{conn, body[5:]}
}

// answered returns the status of the answer.
func (s slowBody) answered(t *testing.T) int {
	t.Helper()
	answer, err := http.ReadResponse(bufio.NewReader(s), nil)
	require.NoError(t, err)
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	require.NoError(t, err)
	return answer.StatusCode
}

// As many clients as there are places send a few bytes, and then nothing for an hour. Others are
// served at once, each in the place of one of them.
func TestSlowBodiesKeepNobodyOut(t *testing.T) {
	cfg := configured(t, "--write-deadline", "5m")
	cfg.limits.bodyTime, cfg.limits.quick = time.Hour, 0
	in, address := listening(t, cfg)
	var slow []slowBody
	for range cfg.limits.posts {
		slow = append(slow, slowly(t, address))
		for began := time.Now(); in.bodies.count() < len(slow); time.Sleep(time.Millisecond) {
			require.Less(t, time.Since(began), patience)
		}
	}
	const healthy = 3
	for range healthy {
		quick := slowly(t, address)
		_, err := io.WriteString(quick, quick.rest)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, quick.answered(t))
	}
	require.Equal(t, http.StatusRequestTimeout, slow[0].answered(t), "the first one has given up its place")
	_, err := io.WriteString(slow[1], slow[1].rest)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, slow[1].answered(t), "there was room for it")
	require.Equal(t, cfg.limits.posts-2, in.bodies.count())
}

func (p *places) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.taken)
}

func TestAPlaceIsKeptForAWhileWhoeverWantsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cut []string
		b := &places{most: 2, quick: time.Second}
		enter := func(name string) (leave func()) { return b.enter(func() { cut = append(cut, name) }) }
		first := enter("first")
		time.Sleep(500 * time.Millisecond)
		second := enter("second")
		require.Nil(t, enter("third"))
		time.Sleep(500 * time.Millisecond)
		third := enter("third")
		require.NotNil(t, third)
		require.Equal(t, []string{"first"}, cut)
		require.Nil(t, enter("fourth"), "the second is quick yet")
		first() // it was cut off, and has no place
		require.Equal(t, 2, b.count())
		second()
		require.NotNil(t, enter("fourth"))
		require.Equal(t, []string{"first"}, cut, "there was room")
		third()
	})
}
