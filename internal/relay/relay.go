// Package relay is for tests that reach a server by another address.
package relay

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Listen listens at a host, at a free port, and hands what comes there on to the server. It asks
// lets, unless that is nil, about each connection: how many came before it. A connection that it
// does not let in is closed at once. All ends with the test.
func Listen(t testing.TB, host, server string, lets func(before int) bool) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	require.NoError(t, err)
	r := &relay{server: server, open: map[net.Conn]bool{}}
	r.all.Go(func() {
		for n := 0; ; n++ {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			if lets != nil && !lets(n) {
				_ = client.Close()
				continue
			}
			r.all.Go(func() { r.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		r.close()
		r.all.Wait()
	})
	return listener.Addr().String()
}

type relay struct {
	server string
	all    sync.WaitGroup
	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

func (r *relay) serve(client net.Conn) {
	server, err := net.Dial("tcp", r.server)
	if err != nil {
		_ = client.Close()
		return
	}
	ends := []net.Conn{client, server}
	r.note(ends, true)
	defer r.note(ends, false)
	var both sync.WaitGroup
	for i, from := range ends {
		both.Go(func() {
			_, _ = io.Copy(ends[1-i], from) // until either side has gone
			_, _ = client.Close(), server.Close()
		})
	}
	both.Wait()
}

// note says that connections are open, or no longer.
func (r *relay) note(conns []net.Conn, open bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		if !open {
			delete(r.open, c)
			continue
		}
		r.open[c] = true
		if r.closed {
			_ = c.Close()
		}
	}
}

func (r *relay) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for c := range r.open {
		_ = c.Close()
	}
}
