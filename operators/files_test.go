package operators_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// line is a cell in a file, with text that needs quotes.
type line struct {
	Part  int    `cql:"part" json:"part"`
	Row   int    `cql:"row" json:"row"`
	Copy  int    `cql:"copy" json:"copy"`
	Value int    `cql:"value" json:"value"`
	Text  string `cql:"text" json:"text"`
}

func lineOf(c cell) line {
	return line{c.part, c.row, c.copy, c.value, fmt.Sprintf("%d,\"\r\n%d\n", c.part, c.row)}
}

func lineSink(format, path string) rxcql.Sink[line] {
	if format == "CSV" {
		return sink.CSV[line](path)
	}
	return sink.NDJSON[line](path)
}

func lineSource(format, path string, rows int) rxcql.Stream[line] {
	if format == "CSV" {
		return source.CSV[line](path, source.PageRows(rows))
	}
	return source.NDJSON[line](path, source.PageRows(rows))
}

// breaking is a file sink of which a Write fails, before or after it has written.
type breaking struct {
	rxcql.Sink[line]
	failAt int // counted from 1
	late   bool
}

func (s *breaking) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[line], error) {
	w, err := s.Sink.Open(ctx, r)
	if err != nil {
		return nil, err
	}
	return &breakingWriter{Writer: w, breaking: s}, nil
}

type breakingWriter struct {
	rxcql.Writer[line]
	*breaking
	pages int
}

func (w *breakingWriter) Write(ctx context.Context, p *flow.Page[line]) error {
	w.pages++
	if w.pages == w.failAt && !w.late {
		return errSink
	}
	err := w.Writer.Write(ctx, p)
	if w.pages == w.failAt {
		return errSink
	}
	return err
}

// crash leaves the file as a machine that goes down may: what was written since
// the last save is there up to any byte, and after it anything.
func crash(rt *rapid.T, store *jobtest.Store, path string) {
	state, err := store.State("job")
	if err != nil || !rapid.Bool().Draw(rt, "crash") {
		return
	}
	if state.Sinks[0].State == nil {
		return // nothing has been written
	}
	var at struct{ Offset int64 }
	require.NoError(rt, json.Unmarshal(state.Sinks[0].State, &at))
	data, err := os.ReadFile(path)
	require.NoError(rt, err)
	require.GreaterOrEqual(rt, int64(len(data)), at.Offset)
	keep := rapid.Int64Range(at.Offset, int64(len(data))).Draw(rt, "bytes that are left")
	data = append(data[:keep], rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(rt, "garbage")...)
	require.NoError(rt, os.WriteFile(path, data, 0o600))
}

// toFile runs a job into a file until it is complete, breaking it off and
// crashing in between, and returns what is in the file.
func toFile(rt *rapid.T, s rxcql.Stream[line], d *disturbance, dir, format string) []line {
	store, path := &jobtest.Store{}, filepath.Join(dir, "out")
	for runs := 0; ; runs++ {
		var p *rxcql.Pipeline
		to := &breaking{Sink: lineSink(format, path)}
		d.left.Store(0)
		store.FailSave = nil
		if runs < 10 { // an end must come
			d.next(rt, func() *rxcql.Pipeline { return p })
			to.failAt, to.late = rapid.OneOf(rapid.Just(0), rapid.IntRange(1, 20)).Draw(rt, "sink fails at"), rapid.Bool().Draw(rt, "late")
			if rapid.IntRange(0, 3).Draw(rt, "a save fails") == 0 {
				failing := rapid.Int64Range(0, 3).Draw(rt, "after so many")
				store.FailSave = func(int) error {
					if failing--; failing < 0 {
						return errUser
					}
					return nil
				}
			}
		}
		p, err := rxcql.New(s, to, rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))
		require.NoError(rt, err)
		rep, err := p.Run(context.Background())
		require.Zero(rt, rep.BytesInFlight)
		if err == nil && rep.Complete {
			break
		}
		require.True(rt, err == nil || errors.Is(err, errUser) || errors.Is(err, errSink), "%v", err)
		crash(rt, store, path)
	}
	got, err := lineSource(format, path, 512).Collect(context.Background())
	require.NoError(rt, err)
	return got
}

func compareLines(a, b line) int {
	return bytes.Compare(fmt.Appendf(nil, "%#v", a), fmt.Appendf(nil, "%#v", b))
}

// slowly makes a run long enough for a save or two to come.
func slowly(s rxcql.Stream[line], every int) rxcql.Stream[line] {
	n := 0
	return operators.Tap(s, func(line) error {
		if n++; n%every == 0 {
			time.Sleep(2 * time.Millisecond)
		}
		return nil
	})
}

func TestAFileHasEachRowOnceHoweverItsJobIsBrokenOff(t *testing.T) {
	for _, format := range []string{"NDJSON", "CSV"} {
		t.Run(format, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				parts, d := someParts(rt), &disturbance{}
				c := &resumable{s: parts.Stream(), makes: func(n cell) []cell { return []cell{n} }}
				for range rapid.IntRange(0, 4).Draw(rt, "verbs") {
					c.grow(rt, d.call, "Map", "Filter", "FlatMap", "MapConcurrent", "Unordered", "Lookup", "Lookup unordered", "Lanes", "Throttle", "Buffer", "Timeout")
				}
				c.s = operators.Tap(c.s, func(cell) error { return d.call() })
				rows := operators.Map(c.s, func(n cell) (line, error) { return lineOf(n), nil })
				got := toFile(rt, slowly(rows, rapid.IntRange(5, 50).Draw(rt, "slow")), d, t.TempDir(), format)
				want := []line{}
				for _, rows := range parts.Rows {
					for _, row := range rows {
						for _, made := range c.makes(row) {
							want = append(want, lineOf(made))
						}
					}
				}
				slices.SortFunc(want, compareLines)
				slices.SortFunc(got, compareLines)
				require.Equal(rt, len(want), len(got))
				require.True(rt, slices.Equal(want, got))
			})
		})
	}
}

func TestAFileIsCopiedLineByLineHoweverItsJobIsBrokenOff(t *testing.T) {
	for _, format := range []string{"NDJSON", "CSV"} {
		t.Run(format, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				dir, d := t.TempDir(), &disturbance{}
				in := filepath.Join(dir, "in")
				want := []line{}
				for row := range rapid.IntRange(0, 200).Draw(rt, "rows") {
					want = append(want, lineOf(cell{part: 1, row: row}))
				}
				p, err := rxcql.New(source.Seq(func(yield func(line, error) bool) {
					for _, row := range want {
						if !yield(row, nil) {
							return
						}
					}
				}), lineSink(format, in))
				require.NoError(rt, err)
				_, err = p.Run(context.Background())
				require.NoError(rt, err)

				rows := lineSource(format, in, rapid.IntRange(1, 20).Draw(rt, "page"))
				if rapid.Bool().Draw(rt, "concurrent") {
					rows = operators.MapConcurrent(rows, 3, func(_ context.Context, n line) (line, error) { return n, d.call() })
				}
				rows = operators.Tap(rows, func(line) error { return d.call() })
				got := toFile(rt, slowly(rows, rapid.IntRange(5, 50).Draw(rt, "slow")), d, dir, format)
				require.Equal(rt, want, append([]line{}, got...), "the order is kept")
			})
		})
	}
}
