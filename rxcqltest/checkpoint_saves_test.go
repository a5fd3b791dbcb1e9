package rxcqltest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/rxcqltest"
)

func wrongSaves() []plant[rxcqltest.CheckpointPlace] {
	return []plant[rxcqltest.CheckpointPlace]{
		{"Where nothing was saved Load returns nil and no error", "a lock leaves no bytes instead of nil", leaves([]byte{}, nil)},
		{"Where nothing was saved Load returns nil and no error", "a lock leaves what cannot be read", leaves(nil, errors.New("there is none"))},
		{"Load returns byte for byte what was saved last", "it takes spaces off the end",
			saves(func(ctx context.Context, c rxcql.Checkpoint, data []byte) error {
				return c.Save(ctx, bytes.TrimRight(data, " \n"))
			})},
		{"Load returns byte for byte what was saved last", "it makes text of the bytes",
			saves(func(ctx context.Context, c rxcql.Checkpoint, data []byte) error {
				return c.Save(ctx, []byte(strings.ToValidUTF8(string(data), "?")))
			})},
		{"A checkpoint of 4 MiB is saved whole", "it cuts at a MiB",
			saves(func(ctx context.Context, c rxcql.Checkpoint, data []byte) error {
				return c.Save(ctx, data[:min(len(data), 1<<20)])
			})},
		{"What was saved is durable when Save returns", "it writes at Unlock", wrong(savesAtUnlock)},
		{"The bytes belong to the caller before and after", "it keeps the bytes that it was given", wrong(keepsTheBytes)},
		{"The bytes belong to the caller before and after", "it gives its own bytes away", givesItsBytesAway()},
		{"Jobs have checkpoints of their own whatever their names", "it does not tell capitals", renamed(strings.ToLower)},
		{"Jobs have checkpoints of their own whatever their names", "it takes the last part of a path", renamed(func(s string) string {
			return s[strings.LastIndex(s, "/")+1:]
		})},
		{"Jobs have checkpoints of their own whatever their names", "it cuts names at a zero byte", renamed(func(s string) string {
			return strings.Split(s, "\x00")[0]
		})},
		{"Jobs have checkpoints of their own whatever their names", "it has one lock for all jobs",
			wrongLock(func(s *jobtest.Store, ctx context.Context, job string) (rxcql.Checkpoint, error) {
				if job != "job" && s.Locked("job") {
					return nil, rxcql.ErrCheckpointLocked
				}
				return s.Lock(ctx, job)
			})},
		{"After a context has ended nothing is locked, loaded or saved", "it does not look at the context of Save",
			saves(func(ctx context.Context, c rxcql.Checkpoint, data []byte) error {
				return c.Save(context.WithoutCancel(ctx), data)
			})},
		{"After a context has ended nothing is locked, loaded or saved", "it does not look at the context of Load",
			wrong(func(c rxcql.Checkpoint, _ *jobtest.Store, _ string) wrongCheckpoint {
				return wrongCheckpoint{load: func(ctx context.Context) ([]byte, error) { return c.Load(context.WithoutCancel(ctx)) }}
			})},
		{"After a context has ended nothing is locked, loaded or saved", "it does not look at the context of Lock",
			wrongLock(func(s *jobtest.Store, ctx context.Context, job string) (rxcql.Checkpoint, error) {
				return s.Lock(context.WithoutCancel(ctx), job)
			})},
		{"A Save that is cut off has saved the whole or nothing", "it leaves half of it", saves(func(ctx context.Context, c rxcql.Checkpoint, data []byte) error {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			half := data[:(len(data)+1)/2]
			if err := c.Save(context.WithoutCancel(ctx), half); err != nil || len(half) == len(data) {
				return err
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return c.Save(ctx, data)
		})},
		{"A Save that fails says so and leaves the checkpoint whole", "it says nothing", saves(func(ctx context.Context, c rxcql.Checkpoint, data []byte) error {
			if err := c.Save(ctx, data); !errors.Is(err, errDown) {
				return err
			}
			return nil
		})},
		{"A Save that fails says so and leaves the checkpoint whole", "it leaves an empty checkpoint",
			wrong(func(c rxcql.Checkpoint, s *jobtest.Store, job string) wrongCheckpoint {
				return wrongCheckpoint{save: func(ctx context.Context, data []byte) error {
					err := c.Save(ctx, data)
					if errors.Is(err, errDown) {
						s.Put(job, []byte{})
					}
					return err
				}}
			})},
		{"A checkpoint that cannot be read is an error and never none", "it takes a failure for none", loads(func(data []byte, err error) ([]byte, error) {
			if errors.Is(err, errDown) {
				return nil, nil
			}
			return data, err
		})},
		{"Errors show nothing of what is saved", "it shows what it could not save", saves(func(ctx context.Context, c rxcql.Checkpoint, data []byte) error {
			if err := c.Save(ctx, data); err != nil {
				return fmt.Errorf("%s: %w", data, err)
			}
			return nil
		})},
		{"A job that is interrupted goes on, and begins anew when it was complete", "it tidies complete jobs away",
			saves(func(ctx context.Context, c rxcql.Checkpoint, data []byte) error {
				if state, err := saved.Decode(data); err == nil && state.Complete {
					return nil
				}
				return c.Save(ctx, data)
			})},
	}
}

// leaves makes a place where Load returns something else than nil once a job was locked
// before and nothing was saved.
func leaves(data []byte, err error) func(testing.TB) rxcqltest.CheckpointPlace {
	return func(t testing.TB) rxcqltest.CheckpointPlace {
		var before sync.Map
		return wrong(func(c rxcql.Checkpoint, _ *jobtest.Store, job string) wrongCheckpoint {
			_, again := before.LoadOrStore(job, true)
			return wrongCheckpoint{load: func(ctx context.Context) ([]byte, error) {
				was, failed := c.Load(ctx)
				if again && was == nil && failed == nil {
					return data, err
				}
				return was, failed
			}}
		})(t)
	}
}

// savesAtUnlock loses what was saved when the process dies before it unlocks.
func savesAtUnlock(c rxcql.Checkpoint, _ *jobtest.Store, _ string) wrongCheckpoint {
	var mu sync.Mutex
	var waiting []byte
	return wrongCheckpoint{
		load: func(ctx context.Context) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			data, err := c.Load(ctx)
			if waiting != nil && err == nil {
				data = bytes.Clone(waiting)
			}
			return data, err
		},
		save: func(ctx context.Context, data []byte) error {
			mu.Lock()
			defer mu.Unlock()
			was, err := c.Load(ctx)
			if err != nil {
				return err
			}
			if was == nil {
				was = []byte("x")
			}
			if err := c.Save(ctx, was); err != nil { // is the lock still ours?
				return err
			}
			waiting = bytes.Clone(data)
			return nil
		},
		unlock: func() error {
			mu.Lock()
			defer mu.Unlock()
			if waiting != nil {
				_ = c.Save(context.Background(), waiting)
				waiting = nil
			}
			return c.Unlock()
		},
	}
}

// keepsTheBytes writes the bytes that it was given once more before it loads.
func keepsTheBytes(c rxcql.Checkpoint, _ *jobtest.Store, _ string) wrongCheckpoint {
	var given []byte
	return wrongCheckpoint{
		save: func(ctx context.Context, data []byte) error {
			err := c.Save(ctx, data)
			if err == nil {
				given = data
			}
			return err
		},
		load: func(ctx context.Context) ([]byte, error) {
			data, err := c.Load(ctx)
			if err == nil && given != nil {
				return bytes.Clone(given), nil
			}
			return data, err
		},
	}
}

// givesItsBytesAway returns the same bytes until there are others.
func givesItsBytesAway() func(testing.TB) rxcqltest.CheckpointPlace {
	return func(t testing.TB) rxcqltest.CheckpointPlace {
		var mu sync.Mutex
		cache := map[string][]byte{}
		return wrong(func(c rxcql.Checkpoint, _ *jobtest.Store, job string) wrongCheckpoint {
			return wrongCheckpoint{
				load: func(ctx context.Context) ([]byte, error) {
					mu.Lock()
					defer mu.Unlock()
					data, err := c.Load(ctx)
					if err != nil || data == nil {
						return nil, err
					}
					if cache[job] == nil {
						cache[job] = data
					}
					return cache[job], nil
				},
				save: func(ctx context.Context, data []byte) error {
					mu.Lock()
					defer mu.Unlock()
					delete(cache, job)
					return c.Save(ctx, data)
				},
			}
		})(t)
	}
}
