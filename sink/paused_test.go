package sink_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
)

// pausedStore is how a store looks to a process that was stopped, after it had
// loaded the checkpoint, for so long that others have taken the job over. Lost has
// not told it yet.
type pausedStore struct {
	*jobtest.Store
	meanwhile func()
}

type pausedHeld struct {
	rxcql.Checkpoint
	store *pausedStore
}

func (s *pausedStore) Lock(ctx context.Context, job string) (rxcql.Checkpoint, error) {
	held, err := s.Store.Lock(ctx, job)
	return &pausedHeld{held, s}, err
}

func (h *pausedHeld) Load(ctx context.Context) ([]byte, error) {
	data, err := h.Checkpoint.Load(ctx)
	if err := h.Checkpoint.Unlock(); err != nil {
		return nil, err
	}
	h.store.meanwhile()
	return data, err
}

func (h *pausedHeld) Save(context.Context, []byte) error { return rxcql.ErrCheckpointLost }
func (h *pausedHeld) Lost() <-chan struct{}              { return nil }
func (h *pausedHeld) Unlock() error                      { return nil }

func TestAProcessThatWasPausedLeavesTheFileOfTheOneThatTookTheJobOver(t *testing.T) {
	sinks := map[string]func(path string) rxcql.Sink[event]{
		"CSV":            func(path string) rxcql.Sink[event] { return sink.CSV[event](path) },
		"NDJSON":         func(path string) rxcql.Sink[event] { return sink.NDJSON[event](path) },
		"CSV, Overwrite": func(path string) rxcql.Sink[event] { return sink.CSV[event](path, sink.Overwrite()) },
		"a Tee": func(path string) rxcql.Sink[event] {
			return sink.Tee(sink.NDJSON[event](path), sink.Each(func(context.Context, event) error { return nil }, sink.Idempotent()))
		},
	}
	for name, to := range sinks {
		for _, c := range []struct {
			what   string
			before int // rows after which the job was stopped, 0 if it had not begun
			other  int // rows after which the other process stops, 0 if it completes the job
		}{
			{"a job gone on with, now complete", 301, 0},
			{"a job gone on with, now further", 301, 301},
			{"a job begun, now complete", 0, 0},
			{"a job begun, now further", 0, 301},
		} {
			t.Run(name+", "+c.what, func(t *testing.T) {
				path, j := outPath(t), newLongJob(1000)
				if c.before > 0 {
					j.stop = c.before
					_, err := j.run(t, to(path))
					require.NoError(t, err)
				}
				var left string
				var saved []byte
				store := &pausedStore{&j.store, func() {
					j.seen, j.stop = 0, c.other
					rep, err := j.run(t, to(path))
					require.NoError(t, err)
					require.Equal(t, c.other == 0, rep.Complete)
					left, saved = content(t, path), j.store.Get("job")
					j.parts.Read = 0
				}}
				p, err := rxcql.New(j.parts.Stream(), to(path), rxcql.WithCheckpoint(store, "job"))
				require.NoError(t, err)
				_, err = p.Run(context.Background())
				require.Error(t, err)
				require.Zero(t, j.parts.Read)
				require.NotEmpty(t, left)
				require.True(t, left == content(t, path), "the file was changed: it had %d bytes and has %d", len(left), len(content(t, path)))
				require.Equal(t, saved, j.store.Get("job"))

				if c.other > 0 { // and the job can be gone on with
					j.stop = 0
					rep, err := j.run(t, to(path))
					require.NoError(t, err)
					require.True(t, rep.Complete)
				}
				if name == "CSV" {
					require.Equal(t, each(1000), content(t, path))
				}
			})
		}
	}
}
