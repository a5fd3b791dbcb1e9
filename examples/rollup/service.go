package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
)

// page is the live page. It needs nothing from elsewhere.
//
//go:embed page
var page embed.FS

// service is the whole of it.
type service struct {
	cfg     config
	log     *slog.Logger
	hub     *hub
	workers map[string]*worker
	handler http.Handler
	drains  atomic.Bool
}

// newService puts the service together, and finds what is wrong with its pipelines.
func newService(ctx context.Context, session *gocql.Session, keyspace string, cfg config) (*service, error) {
	m := newMetrics()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	s := &service{cfg: cfg, log: log, hub: newHub(cfg.limits.behind)}
	in := newIngest(session, keyspace, cfg, m)
	m.knows(in.devices.known)
	if err := in.devices.load(ctx, session, keyspace); err != nil {
		return nil, err
	}
	j := &job{
		cfg: cfg, session: session, keyspace: keyspace, hub: s.hub, metrics: m,
		checkpoints: checkpoint.Table(session, keyspace+".jobs", checkpoint.Lease(cfg.lease)),
	}
	reader := &rollups{cfg: cfg, session: session, keyspace: keyspace, places: &places{most: cfg.limits.readers, quick: cfg.limits.held}, metrics: m}
	s.workers = map[string]*worker{"ingest": newWorker("ingest", log, in.pipeline), "rollup": newWorker("rollup", log, j.pipeline)}
	for _, w := range s.workers {
		if err := w.check(ctx); err != nil {
			return nil, err
		}
	}
	mux := http.NewServeMux()
	mux.Handle("POST /readings", in)
	mux.Handle("GET /rollups", reader)
	mux.Handle("GET /events", &events{
		hub: s.hub, rollups: reader, elsewhere: s.workers["rollup"].elsewhere,
		places: &places{most: cfg.limits.watchers, quick: cfg.limits.held}, patience: cfg.limits.patience, metrics: m,
	})
	mux.HandleFunc("GET /health", s.health)
	mux.Handle("GET /metrics", m.handler)
	if err := servePage(mux); err != nil {
		return nil, err
	}
	s.handler = guarded(mux, cfg.limits.bodyTime)
	return s, nil
}

// guarded is what counts for all paths, also those that there are not.
func guarded(mux http.Handler, bodyTime time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if req.ContentLength != 0 { // the server reads a body that no handler wants, before it answers
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // fails only where there is no connection, in a test
			if req.Method == http.MethodGet || req.Method == http.MethodHead {
				http.Error(w, "send no body with "+req.Method, http.StatusBadRequest)
				return
			}
		}
		mux.ServeHTTP(w, req)
	})
}

// servePage serves each file of the page by its name, and the page itself at /. A handler of all
// paths would take those of others too, where the method is a wrong one: 404 instead of 405.
func servePage(mux *http.ServeMux) error {
	folder, err := fs.Sub(page, "page")
	if err != nil {
		return err
	}
	files, err := fs.ReadDir(folder, ".")
	if err != nil {
		return err
	}
	serve := http.FileServerFS(folder)
	mux.Handle("GET /{$}", serve)
	for _, file := range files {
		mux.Handle("GET /"+file.Name(), serve)
	}
	return nil
}

// server is what serves clients.
func (s *service) server() *http.Server {
	return &http.Server{
		Handler: s.handler, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		WriteTimeout: s.cfg.limits.patience, // of answers that set none of their own
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			if tcp, is := conn.(*net.TCPConn); is {
				_ = tcp.SetWriteBuffer(s.cfg.limits.sendBuffer) // a hint: without it the system may hold MBs for a client
			}
			return ctx
		},
	}
}

// serve works until ctx ends, and then drains.
func (s *service) serve(ctx context.Context) error {
	listener, err := net.Listen("tcp", s.cfg.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	return s.serveOn(ctx, listener)
}

func (s *service) serveOn(ctx context.Context, listener net.Listener) (err error) {
	server := s.server()
	working, cancel := context.WithCancel(context.WithoutCancel(ctx)) // a signal drains; it cancels nothing
	defer cancel()
	var workers sync.WaitGroup
	for _, w := range s.workers {
		workers.Go(func() { w.run(working) })
	}
	failed := make(chan error, 1)
	var others sync.WaitGroup
	others.Go(func() { failed <- server.Serve(listener) })
	address := "http://" + listener.Addr().String()
	fmt.Println("serving", address)
	feeding, enough := context.WithCancel(ctx)
	defer enough()
	if s.cfg.demo {
		others.Go(func() { demo(feeding, address) })
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	enough()
	s.drain(working, server, cancel, &workers)
	others.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// drain answers the requests that were begun, writes what was read, and gives up what does not end
// in time: what is not saved then is done again by the next instance.
func (s *service) drain(ctx context.Context, server *http.Server, cancel func(), workers *sync.WaitGroup) {
	s.drains.Store(true)
	s.log.Info("draining")
	late := time.AfterFunc(s.cfg.limits.drain, func() {
		_ = server.Close() // it has no other error than those of connections
		cancel()
	})
	defer late.Stop()
	s.hub.close()
	s.workers["rollup"].stop()
	ctx, done := context.WithTimeout(ctx, s.cfg.limits.drain)
	defer done()
	if err := server.Shutdown(ctx); err != nil {
		s.log.Warn("some clients have been cut off", "error", err)
	}
	s.workers["ingest"].stop() // after the posts that were begun
	workers.Wait()
}

// health answers GET /health: 200 while both pipelines run.
func (s *service) health(w http.ResponseWriter, _ *http.Request) {
	state, status := map[string]string{}, http.StatusOK
	for name, worker := range s.workers {
		switch err := worker.health(); {
		case err == nil:
			state[name] = "runs"
		case errors.Is(err, rxcql.ErrCheckpointLocked):
			state[name] = "waits: another instance has the job"
		default:
			state[name], status = "does not run: see the log", http.StatusServiceUnavailable
		}
	}
	if s.drains.Load() {
		state["service"], status = "drains", http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(state) // the client may be gone
}
