package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The server reads a body to its end, before it answers, also if no handler wants it. So a client
// that sends one for ever would be served for ever, on any path.
func TestABodyThatNobodyWantsHasNotMoreTimeThanOneOfReadings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := served(t)
		clients := &piped{conns: make(chan net.Conn), ended: make(chan struct{})}
		server, ended := s.server(), make(chan error, 1)
		go func() { ended <- server.Serve(clients) }()
		for _, sent := range []struct {
			request, header string
			status          int
		}{
			{"POST /nowhere", "", http.StatusNotFound},
			{"PUT /readings", "", http.StatusMethodNotAllowed},
			{"POST /readings", "", http.StatusUnsupportedMediaType},
			{"POST /readings?a=b", "Content-Type: application/x-ndjson\r\n", http.StatusBadRequest},
			{"POST /readings", "Content-Type: application/x-ndjson\r\nContent-Encoding: gzip\r\n", http.StatusUnsupportedMediaType},
			{"GET /rollups", "", http.StatusBadRequest},
			{"GET /events", "", http.StatusBadRequest},
			{"GET /metrics", "", http.StatusBadRequest},
			{"GET /health", "", http.StatusBadRequest},
			{"GET /", "", http.StatusBadRequest},
			{"HEAD /events", "", http.StatusBadRequest},
		} {
			for _, length := range []string{"Transfer-Encoding: chunked\r\n\r\n5\r\n", "Content-Length: 1000\r\n\r\n"} {
				client, conn := net.Pipe()
				clients.conns <- conn
				require.NoError(t, client.SetDeadline(time.Now().Add(time.Hour)))
				begun := time.Now()
				_, err := fmt.Fprintf(client, "%s HTTP/1.1\r\nHost: x\r\n%s%shello", sent.request, sent.header, length)
				require.NoError(t, err)
				rest := bufio.NewReader(client)
				method, _, _ := strings.Cut(sent.request, " ")
				answer, err := http.ReadResponse(rest, &http.Request{Method: method})
				require.NoError(t, err, sent.request)
				require.Equal(t, sent.status, answer.StatusCode, sent.request)
				_, err = io.Copy(io.Discard, answer.Body)
				require.NoError(t, err, sent.request)
				answer.Body.Close()
				_, err = io.Copy(io.Discard, rest)
				require.NoError(t, err, "the connection is closed")
				require.LessOrEqual(t, time.Since(begun), s.cfg.limits.bodyTime+time.Second, sent.request)
				client.Close()
			}
		}
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-ended, http.ErrServerClosed)
	})
}
