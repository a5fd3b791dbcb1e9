package rxcql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// lines are those of a log in JSON, without what differs from run to run.
type lines []map[string]any

func logged(t *testing.T, run func(log rxcql.Option)) (all lines) {
	t.Helper()
	var text bytes.Buffer
	run(rxcql.WithLogger(slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	for _, line := range strings.Split(strings.TrimSpace(text.String()), "\n") {
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &m))
		delete(m, "time")
		for _, key := range []string{"duration", "bytes"} {
			if m[key] != nil {
				require.Positive(t, m[key])
				delete(m, key)
			}
		}
		all = append(all, m)
	}
	return all
}

func (l lines) of(message string) (some lines) {
	for _, m := range l {
		if m["msg"] == message {
			some = append(some, m)
		}
	}
	return some
}

func TestTheLogSaysHowARunBeginsAndEnds(t *testing.T) {
	in := operators.Filter(badAt(100, errRow, tenth), func(n int) bool { return n != 42 })
	each := sink.Each(func(context.Context, int) error { return nil })
	got := logged(t, func(log rxcql.Option) {
		p := pipeline(t, in, each, log, rxcql.WithRowErrors(rxcql.SkipRows(10)), rxcql.WithWorkers(3), rxcql.WithBudget(1<<20))
		_, err := p.Run(context.Background())
		require.NoError(t, err)
	})
	require.Equal(t, map[string]any{
		"level": "INFO", "msg": "run started", "sources": []any{"Seq"}, "sinks": []any{"Each"}, "budget_bytes": 1048576.0, "workers": 3.0,
	}, got[0])
	end := map[string]any{
		"level": "INFO", "msg": "run ended", "rows_read": 100.0, "rows_written": 89.0, "rows_filtered": 1.0, "rows_skipped": 10.0,
		"rows_dead_lettered": 0.0, "rows_unknown": 0.0, "rows_resumed": 0.0, "complete": true,
	}
	require.Equal(t, end, got[len(got)-1])
	require.Len(t, got, 12)

	for _, read := range []func(log rxcql.Option){
		func(log rxcql.Option) { _, _ = seq(30).Collect(context.Background(), log) },
		func(log rxcql.Option) {
			for range seq(30).All(context.Background(), log) {
				break
			}
		},
	} {
		got = logged(t, read)
		require.Len(t, got, 2)
		require.Nil(t, got[0]["sinks"])
		require.Equal(t, "run ended", got[1]["msg"])
	}
}

func TestTheLogOfARunThatFailedHasTheErrorWithoutValues(t *testing.T) {
	said := fmt.Errorf("cannot read %q as of %d", canary, 1234)
	refuse := func(n int) (int, error) { return n, said }
	fold := func(int, int) (int, error) { return 0, said }
	failing := func(yield func(int, error) bool) { yield(0, said) }
	for name, in := range map[string]rxcql.Stream[int]{
		"Map":     operators.Map(seq(10), refuse),
		"Scan":    operators.Scan(seq(10), func() int { return 0 }, fold),
		"Reduce":  operators.Reduce(seq(10), func() int { return 0 }, fold),
		"Seq":     source.Seq(failing),
		"a panic": operators.Map(seq(10), func(int) (int, error) { panic(said) }),
		"words": operators.Map(seq(10), func(int) (int, error) {
			panic(fmt.Sprintf("cannot read %q as of %d", canary, 1234))
		}),
		"two": operators.Merge(operators.Map(seq(10), refuse), operators.Map(seq(10), refuse)),
		"a group": operators.Map(operators.GroupAdjacent(seq(10), func(n int) int { return n }, func() int { return 0 }, fold),
			func(g operators.Group[int, int]) (int, error) { return g.Key, nil }),
		"too many":  badAt(100, said, tenth),
		"too often": badAt(100, said, tenth),
	} {
		opts := []rxcql.Option{}
		switch name {
		case "too many":
			opts = append(opts, rxcql.WithRowErrors(rxcql.SkipRows(3)))
		case "too often":
			opts = append(opts, rxcql.WithRowErrors(rxcql.SkipPercent(1, 1000)))
		}
		got := logged(t, func(log rxcql.Option) {
			_, err := pipeline(t, in, &memory[int]{}, append(opts, log)...).Run(context.Background())
			require.ErrorContains(t, err, canary, "the words of the user's own are the user's to see")
		})
		end := got[len(got)-1]
		require.Equal(t, "ERROR", end["level"], name)
		switch name {
		case "a panic":
			require.Contains(t, end["error"], "panic with a value of type *errors.errorString", name)
		case "words":
			require.Contains(t, end["error"], "panic with a value of type string", name)
		default:
			require.Contains(t, end["error"], `cannot read "…" as of …`, name)
		}
		require.Contains(t, end["error"], "rxcql: ", name)
		require.NotContains(t, fmt.Sprint(got), canary, name)
		require.NotContains(t, fmt.Sprint(got), "1234", name)
	}
	got := logged(t, func(log rxcql.Option) {
		_, err := seq(10).ForEach(context.Background(), func(int) error { return said }, log)
		require.Equal(t, said, err)
	})
	require.Equal(t, `cannot read "…" as of …`, got[1]["error"])

	got = logged(t, func(log rxcql.Option) {
		_, err := pipeline(t, seq(10), &memory[int]{check: func() error { return rxcql.ErrSchema }}, log).Run(context.Background())
		require.ErrorIs(t, err, rxcql.ErrSchema)
	})
	require.Equal(t, "run ended", got[1]["msg"], "also where it never began")
}

func TestTheLogOfARunThatFailedHasNoWordsOfTheRow(t *testing.T) {
	row := person{Name: "Jane Doe"}
	in := operators.Map(seq(3), func(int) (person, error) { return row, nil })
	about := func(p person) error { return fmt.Errorf("cannot add %s of the room", p.Name) }
	fold := func(n int, p person) (int, error) { return n, about(p) }
	fails := func(context.Context, person) (person, error) { return row, about(row) }
	run := func(in rxcql.Stream[int]) func(rxcql.Option) {
		return func(log rxcql.Option) {
			_, err := pipeline(t, in, &memory[int]{}, log).Run(context.Background())
			require.ErrorContains(t, err, "Jane Doe")
		}
	}
	for name, run := range map[string]func(rxcql.Option){
		"Map":           run(operators.Map(in, func(p person) (int, error) { return 0, about(p) })),
		"Scan":          run(operators.Scan(in, func() int { return 0 }, fold)),
		"Reduce":        run(operators.Reduce(in, func() int { return 0 }, fold)),
		"MapConcurrent": run(operators.Map(operators.MapConcurrent(in, 2, fails), func(person) (int, error) { return 0, nil })),
		"a group": run(operators.Map(operators.GroupAdjacent(in, func(p person) string { return p.Name }, func() int { return 0 }, fold),
			func(operators.Group[string, int]) (int, error) { return 0, nil })),
		"a panic": run(operators.Filter(operators.Map(in, func(person) (int, error) { return 0, nil }), func(int) bool {
			panic("no room for " + row.Name)
		})),
		"Each": func(log rxcql.Option) {
			_, err := pipeline(t, in, sink.Each(func(_ context.Context, p person) error { return about(p) }), log).Run(context.Background())
			require.ErrorContains(t, err, "Jane Doe")
		},
		"ForEach": func(log rxcql.Option) {
			_, err := in.ForEach(context.Background(), about, log)
			require.EqualError(t, err, "cannot add Jane Doe of the room")
		},
	} {
		got := logged(t, run)
		require.Equal(t, "ERROR", got[len(got)-1]["level"], name)
		require.NotContains(t, fmt.Sprint(got), "Jane", name)
		require.NotContains(t, fmt.Sprint(got), "Doe", name)
	}

	got := logged(t, run(operators.Merge(operators.Map(seq(3), func(int) (int, error) { return 0, nil }),
		operators.Map(in, func(p person) (int, error) { return 0, errors.Join(about(p), changing(&row)) }))))
	require.NotContains(t, fmt.Sprint(got), "Jane", "an error that says something else each time")
	got = logged(t, func(log rxcql.Option) {
		_, err := pipeline(t, operators.Map(seq(3), func(n int) (int, error) { return []int{}[n], nil }), &memory[int]{}, log).Run(context.Background())
		require.ErrorIs(t, err, rxcql.ErrPanic)
	})
	require.Contains(t, got[1]["error"], "index out of range", "the runtime's own words")
}

// changing is an error whose text is another one each time.
func changing(p *person) error { return &changingError{p: p} }

type changingError struct {
	p     *person
	times int
}

func (e *changingError) Error() string {
	e.times++
	return strings.Repeat("no ", e.times) + e.p.Name
}

func TestTheLogSaysHowAJobGoesOn(t *testing.T) {
	store := &jobtest.Store{}
	broken := errors.New("broken off")
	parts := source.SeqFrom("numbers", func(from int64) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for n := int(from); n < 100 && yield(n, nil); n++ {
			}
		}
	}, source.PageRows(10))
	var at int
	to := sink.Each(func(_ context.Context, n int) error {
		if n == at {
			return broken
		}
		return nil
	}, sink.Idempotent())
	run := func(fails int, opts ...rxcql.CheckpointOption) lines {
		at = fails
		return logged(t, func(log rxcql.Option) {
			_, err := pipeline(t, parts, to, log, rxcql.WithCheckpoint(store, "nightly", opts...)).Run(context.Background())
			if fails >= 0 {
				require.ErrorIs(t, err, broken)
			} else {
				require.NoError(t, err)
			}
		})
	}
	first := run(42)
	require.Equal(t, "nightly", first[0]["job"])
	require.Empty(t, first.of("job goes on"))
	saves := first.of("checkpoint saved")
	require.Equal(t, map[string]any{"level": "INFO", "msg": "checkpoint saved", "job": "nightly", "saves": 1.0}, saves[0])
	require.Equal(t, "DEBUG", saves[1]["level"])
	require.Equal(t, "nightly", first[len(first)-1]["job"])

	second := run(-1)
	require.Equal(t, lines{{"level": "INFO", "msg": "job goes on", "job": "nightly", "run": 2.0}}, second.of("job goes on"))
	require.Equal(t, lines{{
		"level": "INFO", "msg": "source goes on", "job": "nightly", "stage": "Seq", "ranges_done": 0.0, "ranges_begun": 1.0, "rows_settled": 40.0,
	}}, second.of("source goes on"))
	require.EqualValues(t, 40, second[len(second)-1]["rows_resumed"])

	third := run(-1, rxcql.RunOnce())
	require.Len(t, third.of("job is complete already and is left as it is"), 1)
	require.Empty(t, third.of("source goes on"))
	require.Empty(t, third.of("checkpoint saved"))
}

func TestTheLogHasTheFirstRowsThatFailAndNoFloodOfThem(t *testing.T) {
	every := func(int) bool { return true }
	got := logged(t, func(log rxcql.Option) {
		_, err := pipeline(t, badAt(1000, errRow, every), &memory[int]{}, log, rxcql.WithRowErrors(rxcql.SkipRows(1000))).Run(context.Background())
		require.NoError(t, err)
	})
	rows := got.of("a row failed and was left out")
	require.Len(t, rows, 1000)
	for i, row := range rows {
		require.NotContains(t, row, "place", "there is none")
		want := "WARN"
		if i >= 100 {
			want = "DEBUG"
		}
		require.Equal(t, want, row["level"])
	}
	told := got.of("rows that fail from now on are logged at level Debug; the report counts them")
	require.Len(t, told, 1)
	require.Equal(t, "WARN", told[0]["level"])
}
