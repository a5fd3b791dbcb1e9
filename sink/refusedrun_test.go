package sink_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

const afterTheSave = "rows that came after the save\n"

func TestAFileIsAsItWasWhenTheSourceIsNotTheJobs(t *testing.T) {
	path, j := outPath(t), newLongJob(1000)
	j.parts.Facts = []rxcql.Fact{{Name: "table id", Value: "1"}}
	j.stop = 301
	_, err := j.run(t, sink.CSV[event](path))
	require.NoError(t, err)
	before := content(t, path) + afterTheSave
	require.NoError(t, os.WriteFile(path, []byte(before), 0o600))
	state := j.store.Get("job")

	j.parts.Facts[0].Value = "2"
	_, err = j.run(t, sink.CSV[event](path))
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.True(t, before == content(t, path), "a run that was refused has cut the file")
	require.Equal(t, state, j.store.Get("job"))

	j.parts.Facts[0].Value, j.parts.Pages = "1", "another version"
	_, err = j.run(t, sink.CSV[event](path))
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.True(t, before == content(t, path), "a run that was refused has cut the file")

	j.parts.Pages, j.stop = "", 0
	_, err = j.run(t, sink.CSV[event](path))
	require.NoError(t, err)
	require.Equal(t, each(1000), content(t, path))
}

// oneAfterTheOther reads a stream when the one before has ended.
func oneAfterTheOther[T any](ins ...rxcql.Stream[T]) rxcql.Stream[T] {
	var upstream []rxcql.AnyStream
	for _, in := range ins {
		upstream = append(upstream, in)
	}
	return rxcql.NewStream(rxcql.StageInfo{Name: "Concat"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		for _, in := range ins {
			if err := in.Subscribe(ctx, st, noEnd[T]{out}); err != nil {
				return err
			}
		}
		return out.Done(ctx, false)
	}, upstream...)
}

type noEnd[T any] struct{ flow.Observer[T] }

func (noEnd[T]) Done(context.Context, bool) error { return nil }

// numbered are lines of a file for source.NDJSON.
func numbered(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintln(&b, n)
	}
	return b.String()
}

// Each source of several may be the one that is refused, also one that is not
// begun before the other has been read.
func TestAFileIsAsItWasWhenOneOfSeveralSourcesIsNotTheJobs(t *testing.T) {
	ways := map[string]func(...rxcql.Stream[int]) rxcql.Stream[int]{"merged": operators.Merge[int], "one after the other": oneAfterTheOther[int]}
	for how, join := range ways {
		for _, refused := range []string{"one", "two", "lines"} {
			t.Run(how+", "+refused, func(t *testing.T) {
				in, path, store := filepath.Join(t.TempDir(), "lines"), outPath(t), &jobtest.Store{}
				require.NoError(t, os.WriteFile(in, []byte(numbered(0, 5000)), 0o600))
				parts := map[string]*jobtest.Parts[int]{}
				for _, name := range []string{"one", "two"} {
					parts[name] = &jobtest.Parts[int]{Name: name, PageRows: 10, Rows: [][]int{make([]int, 500)}, Facts: []rxcql.Fact{{Name: "id", Value: "1"}}}
				}
				seen := map[string]*atomic.Int64{"one": {}, "two": {}, "lines": {}}
				stopping := func(name string, s rxcql.Stream[int], p **rxcql.Pipeline) rxcql.Stream[int] {
					return operators.Tap(s, func(int) error {
						if seen[name].Add(1) == 100 && name == refused { // it has been begun
							(*p).Stop()
						}
						return nil
					})
				}
				run := func() error {
					var p *rxcql.Pipeline
					all := join(stopping("one", parts["one"].Stream(), &p), stopping("two", parts["two"].Stream(), &p),
						stopping("lines", source.NDJSON[int](in), &p))
					var err error
					p, err = rxcql.New(all, sink.NDJSON[int](path), rxcql.WithCheckpoint(store, "job"))
					require.NoError(t, err)
					_, err = p.Run(context.Background())
					return err
				}
				require.NoError(t, run())
				before := content(t, path) + afterTheSave
				require.NoError(t, os.WriteFile(path, []byte(before), 0o600))
				if refused == "lines" {
					require.NoError(t, os.WriteFile(in, []byte(numbered(1, 5000)), 0o600))
				} else {
					parts[refused].Facts[0].Value = "2"
				}
				for _, n := range seen {
					n.Store(0)
				}
				require.ErrorIs(t, run(), rxcql.ErrCheckpointForeign)
				for _, n := range seen {
					require.Zero(t, n.Load())
				}
				require.True(t, before == content(t, path), "a run that was refused has cut the file")
			})
		}
	}
}

func TestAJobOfWhichNothingIsLeftToReadStillCutsItsFile(t *testing.T) {
	path, j := outPath(t), newLongJob(20)
	j.stop = 20 // all of it has been read then
	rep, err := j.run(t, sink.CSV[event](path))
	require.NoError(t, err)
	require.False(t, rep.Complete)
	require.NoError(t, os.WriteFile(path, []byte(content(t, path)+afterTheSave), 0o600))
	rep, err = j.run(t, sink.CSV[event](path))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Zero(t, rep.Pages)
	require.Equal(t, each(20), content(t, path))
}
