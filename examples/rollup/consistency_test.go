package main

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/deadletter"
)

// A reading that is acknowledged by replicas which the tail does not ask would be missed.
func TestAllIsWrittenAndReadAtTheConsistencyThatWasChosen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, m := configured(t, "--consistency", "local_quorum"), newMetrics()
		server := withTables(t, "readings", "rollups", "devices")
		session := server.Session("rollup")
		require.NoError(t, deadletter.CreateTable(t.Context(), session, "rollup.unusable"))
		var mu sync.Mutex
		levels, written, read := map[string]bool{}, map[string]bool{}, map[string]bool{}
		note := func(of map[string]bool, what, level string) {
			mu.Lock()
			defer mu.Unlock()
			of[what], levels[level] = true, true
		}
		m.hooks.FetchStart = func(ctx context.Context, e rxcql.FetchEvent) context.Context {
			note(read, e.Stage, e.Consistency)
			return ctx
		}
		m.hooks.WriteStart = func(ctx context.Context, e rxcql.WriteEvent) context.Context {
			note(written, e.Table, e.Consistency)
			return ctx
		}
		in := newIngest(session, "rollup", cfg, m)
		j := &job{
			cfg: cfg, session: session, keyspace: "rollup", hub: newHub(1), metrics: m,
			checkpoints: checkpoint.File(filepath.Join(t.TempDir(), "rollup.checkpoint")),
		}
		log := slog.New(slog.NewTextHandler(io.Discard, nil))
		workers := []*worker{newWorker("ingest", log, in.pipeline), newWorker("rollup", log, j.pipeline)}
		var all sync.WaitGroup
		for _, w := range workers {
			all.Go(func() { w.run(t.Context()) })
		}
		status, _, _ := taking{in, server}.post(of("a"))
		require.Equal(t, 200, status)
		time.Sleep(time.Minute)
		reader, windows := &rollups{cfg: cfg, session: session, keyspace: "rollup", metrics: m}, 0
		for _, err := range reader.between(t.Context(), time.Now().Add(-time.Hour), time.Now()) {
			require.NoError(t, err)
			windows++
		}
		require.Equal(t, 1, windows)
		for _, w := range workers {
			w.stop()
		}
		all.Wait()
		require.Equal(t, []string{"devices", "readings", "rollups"}, slices.Sorted(maps.Keys(written)))
		require.Len(t, read, 2, "the tail, and what GET /rollups asks for")
		require.Equal(t, []string{"LOCAL_QUORUM"}, slices.Sorted(maps.Keys(levels)))
	})
}
