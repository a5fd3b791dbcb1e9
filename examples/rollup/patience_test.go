package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// piped are connections without any buffers: what a client does not take stays with the server.
type piped struct {
	conns chan net.Conn
	ended chan struct{}
}

func (p *piped) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *piped) Close() error   { close(p.ended); return nil }
func (p *piped) Addr() net.Addr { return &net.TCPAddr{} }

// get asks for a path. The answer can be read from the connection.
func (p *piped) get(t *testing.T, path string) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { client.Close() })
	p.conns <- server
	_, err := fmt.Fprintf(client, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path)
	require.NoError(t, err)
	return client
}

const allWindows = 3000

// answered is a service with allWindows that answers clients, so many readers and one watcher at
// once.
func answered(t *testing.T, cfg config, readers int, fn func(t *testing.T, clients *piped, reader *rollups, watching *events)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics()
		session := withTables(t, "rollups").Session("rollup")
		rows := source.Seq(func(yield func(Rollup, error) bool) {
			for i := range allWindows {
				if !yield(windowAt(time.Duration(i)*time.Millisecond), nil) {
					return
				}
			}
		})
		_, err := rxcql.Run(t.Context(), rows, sink.Table[Rollup](session, "rollup.rollups"))
		require.NoError(t, err)
		reader := &rollups{
			cfg: cfg, session: session, keyspace: "rollup", places: &places{most: readers, quick: cfg.limits.held}, metrics: m,
		}
		watching := &events{
			hub: newHub(cfg.limits.behind), rollups: reader, elsewhere: func() bool { return false },
			places: &places{most: 1, quick: cfg.limits.held}, patience: cfg.limits.patience, metrics: m,
		}
		mux := http.NewServeMux()
		mux.Handle("/rollups", reader)
		mux.Handle("/events", watching)
		clients := &piped{conns: make(chan net.Conn), ended: make(chan struct{})}
		server := &http.Server{Handler: mux} //nolint:gosec // its clients are those of the test
		served := make(chan error, 1)
		go func() { served <- server.Serve(clients) }()
		fn(t, clients, reader, watching)
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
}

// takeSlowly takes an answer, a little more than the service sends at once, and then again after a
// while. each is called in between.
func takeSlowly(t *testing.T, conn net.Conn, pause time.Duration, each func()) (answer string) {
	t.Helper()
	var all bytes.Buffer
	for {
		_, err := io.CopyN(&all, conn, atOnce*5/4)
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			return all.String()
		}
		time.Sleep(pause)
		synctest.Wait()
		each()
	}
}

func take(t *testing.T, conn net.Conn) string { return takeSlowly(t, conn, 0, func() {}) }

// windowsOf are how many windows an answer has. err says that it has not come to its end.
func windowsOf(t *testing.T, text string) (status, windows int, err error) {
	t.Helper()
	answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, strings.Count(string(body), `"until":`), err
}

func TestAClientThatTakesNothingOfAnAnswerLosesItAndOneThatIsSlowDoesNot(t *testing.T) {
	cfg := configured(t)
	answered(t, cfg, 2, func(t *testing.T, clients *piped, reader *rollups, watching *events) {
		slow := clients.get(t, "/rollups")
		clients.get(t, "/rollups")
		clients.get(t, "/events")
		time.Sleep(cfg.limits.patience - time.Second)
		synctest.Wait()
		require.Equal(t, 2, reader.places.count())
		require.Equal(t, 1, watching.places.count())
		text := takeSlowly(t, slow, cfg.limits.patience*2/3, func() {
			require.LessOrEqual(t, reader.places.count(), 1, "who takes nothing has lost it")
			require.Zero(t, watching.places.count())
		})
		_, windows, err := windowsOf(t, text)
		require.NoError(t, err)
		require.Equal(t, allWindows, windows)
		require.Zero(t, reader.places.count())
	})
}

// As many clients as there are places take a little of an answer now and then, for ever. Others are
// answered all the same, each in the place of one of them.
func TestClientsThatTakeAnAnswerSlowlyKeepNobodyOut(t *testing.T) {
	cfg := configured(t)
	answered(t, cfg, 1, func(t *testing.T, clients *piped, reader *rollups, _ *events) {
		slow, cut := clients.get(t, "/rollups"), false
		text := takeSlowly(t, slow, cfg.limits.patience*2/3, func() {
			if cut {
				return
			}
			quick := time.Since(reader.places.taken[0].begun) < cfg.limits.held
			status, windows, err := windowsOf(t, take(t, clients.get(t, "/rollups")))
			require.NoError(t, err)
			if quick {
				require.Equal(t, http.StatusServiceUnavailable, status, "it keeps its place for a while")
				return
			}
			require.Equal(t, allWindows, windows)
			cut = true
		})
		require.True(t, cut)
		_, _, err := windowsOf(t, text)
		require.Error(t, err, "half an answer does not look whole")
		require.Zero(t, reader.places.count())
	})
}

// All windows that end at one time come at once. A client that takes little of them at a time has
// its patience for each piece.
func TestAWatcherThatIsSlowGetsAllOfManyWindowsThatCloseAtOnce(t *testing.T) {
	cfg := configured(t)
	answered(t, cfg, 1, func(t *testing.T, clients *piped, _ *rollups, watching *events) {
		conn := clients.get(t, fmt.Sprintf("/events?after=%d", time.Now().Add(hour).UnixMilli()))
		synctest.Wait()
		watching.hub.announce(slices.Repeat([]Rollup{windowAt(0)}, allWindows))()
		var got bytes.Buffer
		for strings.Count(got.String(), `"until":`) < allWindows {
			_, err := io.CopyN(&got, conn, atOnce*5/4)
			require.NoError(t, err, "it is cut off after %d bytes", got.Len())
			time.Sleep(cfg.limits.patience * 2 / 3)
		}
	})
}
