package rxcql_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestSpansOfARunReachAllThatItCalls(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		var mu sync.Mutex
		seen := map[string]string{}
		see := func(ctx context.Context, name string) {
			mu.Lock()
			defer mu.Unlock()
			seen[name] = layersOf(ctx)
		}
		nest := func(name string) func(context.Context) context.Context {
			return func(ctx context.Context) context.Context {
				see(ctx, "start of "+name)
				return context.WithValue(ctx, layersKey{}, layersOf(ctx)+"/"+name)
			}
		}
		hooks := everyHook(func(ctx context.Context, name string, _ any) { see(ctx, name) })
		hooks.RunStart = func(ctx context.Context, _ rxcql.RunEvent) context.Context { return nest("run")(ctx) }
		hooks.FetchStart = func(ctx context.Context, _ rxcql.FetchEvent) context.Context { return nest("fetch")(ctx) }
		hooks.WriteStart = func(ctx context.Context, _ rxcql.WriteEvent) context.Context { return nest("write")(ctx) }
		hooks.SaveStart = func(ctx context.Context, _ rxcql.SaveEvent) context.Context { return nest("save")(ctx) }
		store := watchedStore{&jobtest.Store{}, see}
		p := everythingOf(t, rxcql.WithHooks(hooks))
		_, err := p.Run(t.Context())
		require.NoError(t, err)
		for name, want := range map[string]string{
			"start of run": "", "start of fetch": "/run", "start of write": "/run", "start of save": "/run",
			"RunEnd": "/run", "FetchEnd": "/run/fetch", "WriteEnd": "/run/write", "SaveEnd": "/run/save",
			"PageRead": "/run", "RowsWritten": "/run", "Retry": "/run", "Recover": "/run", "InFlightLimit": "/run", "BudgetWait": "/run", "RowFailed": "/run",
		} {
			require.Equal(t, want, seen[name], name)
		}

		clear(seen)
		in := operators.MapConcurrent(seq(30), 3, func(ctx context.Context, n int) (int, error) {
			see(ctx, "MapConcurrent")
			if n == 7 {
				return n, fmt.Errorf("row %d", n)
			}
			return n, nil
		})
		each := sink.Each(func(ctx context.Context, _ int) error {
			see(ctx, "Each")
			return nil
		}, sink.InFlight(2))
		_, err = rxcql.Run(t.Context(), in, each, rxcql.WithHooks(hooks), rxcql.WithRowErrors(rxcql.DeadLetter(watchedLetters{&jobtest.Letters{}, see})))
		require.NoError(t, err)
		in = source.SeqFrom("numbers", func(int64) iter.Seq2[int, error] { return numbers(30, nil) })
		_, err = rxcql.Run(t.Context(), in, rxcql.Sink[int](&resuming{}), rxcql.WithHooks(hooks), rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		for name, want := range map[string]string{
			"MapConcurrent": "/run", "Each": "/run", "letters": "/run", "lock": "/run", "load": "/run", "save": "/run/save",
		} {
			require.Equal(t, want, seen[name], name)
		}
	})
}

// watchedStore sees the contexts that a store of checkpoints gets.
type watchedStore struct {
	rxcql.CheckpointStore
	see func(context.Context, string)
}

func (s watchedStore) Lock(ctx context.Context, job string) (rxcql.Checkpoint, error) {
	s.see(ctx, "lock")
	held, err := s.CheckpointStore.Lock(ctx, job)
	return watchedCheckpoint{held, s.see}, err
}

type watchedCheckpoint struct {
	rxcql.Checkpoint
	see func(context.Context, string)
}

func (c watchedCheckpoint) Load(ctx context.Context) ([]byte, error) {
	c.see(ctx, "load")
	return c.Checkpoint.Load(ctx)
}

func (c watchedCheckpoint) Save(ctx context.Context, data []byte) error {
	c.see(ctx, "save")
	return c.Checkpoint.Save(ctx, data)
}

// watchedLetters sees those that a store of dead letters gets.
type watchedLetters struct {
	*jobtest.Letters
	see func(context.Context, string)
}

func (l watchedLetters) Open(context.Context) (rxcql.DeadLetterWriter, error) { return l, nil }

func (l watchedLetters) Write(ctx context.Context, letters []rxcql.Letter) error {
	l.see(ctx, "letters")
	return l.Letters.Write(ctx, letters)
}
