package operators_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// givenResults are the results of a job, over all of its runs.
type givenResults struct {
	parts     [][]stamped
	windows   map[string][]int // as they are in the end
	runs      int
	awaited   map[int]bool   // rows up to which the run before had read, and this one has not
	corrected [2]int         // results in the first run, and in those that went on
	early     [2]int         // likewise
	last      map[int]string // of each row, the result that was given last with it in it
	wrong     []string
	late      []stamped
}

// from begins a run that goes on from a checkpoint.
func (g *givenResults) from(state *saved.State) {
	g.runs++
	g.awaited = map[int]bool{}
	if state == nil || len(state.Sources) == 0 {
		return
	}
	for _, part := range state.Sources[0].Parts {
		if part.Read > part.Rows {
			g.awaited[g.parts[part.Range.Start][part.Read-1].number] = true
		}
	}
}

// see looks at a result. Its rows are of one window, and some of them may be missing if it is given
// again, or if it is the first one and all has been read that the run before had read.
func (g *givenResults) see(r operators.WindowResult[int, []int]) {
	name := fmt.Sprint(r.Key, " ", r.Start.Unix(), "-", r.End.Unix())
	of := slices.DeleteFunc(slices.Collect(maps.Values(g.windows)), func(window []int) bool {
		return slices.ContainsFunc(r.Value, func(n int) bool { return !slices.Contains(window, n) })
	})
	isWhole := slices.ContainsFunc(of, func(window []int) bool { return len(window) == len(r.Value) })
	if len(of) == 0 || len(g.awaited) > 0 && (r.Kind != operators.Final || !isWhole) {
		g.wrong = append(g.wrong, fmt.Sprint(r.Kind, " ", name, " ", r.Value, " of ", of, ", ", len(g.awaited), " parts are behind"))
	}
	goesOn := min(g.runs-1, 1)
	switch r.Kind {
	case operators.Corrected:
		g.corrected[goesOn]++
	case operators.Early:
		g.early[goesOn]++
	}
	for _, n := range r.Value {
		g.last[n] = name
	}
}

// Rows come when their windows have been given, and before these are over: so none is late, and
// each is in the result in the end, wherever the job is broken off. A session that was given may
// have another start, or become one with another, and then its old rows stay in the table.
func TestAJobWhoseResultsAreCorrectedAndThatIsBrokenOffEndsWithTheTableOfOneThatIsNot(t *testing.T) {
	for _, kind := range []string{"Tumbling", "Hopping", uneven, "Session"} {
		t.Run(kind, func(t *testing.T) {
			var corrected, early [2]int
			rapid.Check(t, func(rt *rapid.T) {
				const jitter = 15
				parts := stampedParts(rt, jitter, false)
				outOfOrder := rapid.IntRange(0, 3).Draw(rt, "out of order")
				windows, opts := jobWindows(kind)
				g := &givenResults{parts: parts.Rows, last: map[int]string{}, windows: windowsOf(slices.Concat(parts.Rows...), kind)}
				opts = append(opts, operators.AllowedLateness(time.Duration(jitter-outOfOrder)*time.Second),
					operators.LateRows(func(r stamped) error {
						g.late = append(g.late, r)
						return nil
					}))
				if rapid.Bool().Draw(rt, "early") {
					opts = append(opts, operators.EarlyResults(3*time.Second))
				}
				table := &upserted{rows: map[string][]int{}}
				table.seen, table.from = g.see, g.from
				brokenOff(rt, table, func(disturb func() error, more ...rxcql.Option) (*rxcql.Pipeline, error) {
					timed := operators.EventTime(parts.Stream(), stampedAt, operators.OutOfOrderness(time.Duration(outOfOrder)*time.Second))
					rows := operators.Tap(timed, func(r stamped) error {
						delete(g.awaited, r.number)
						return disturb()
					})
					results := operators.Window(rows, windows, timeOfStamped, stampedKey, noTimes, addNumber, opts...)
					return rxcql.New(results, sink.Each(func(_ context.Context, r operators.WindowResult[int, []int]) error {
						return table.upsert(r)
					}, sink.Idempotent(), sink.InFlight(1)), more...)
				})
				require.Empty(rt, g.late)
				require.Empty(rt, g.wrong)
				for i := range 2 {
					corrected[i] += g.corrected[i]
					early[i] += g.early[i]
				}
				for name, numbers := range g.windows {
					require.Equal(rt, numbers, table.rows[name], name)
				}
				if kind != "Session" {
					require.Len(rt, table.rows, len(g.windows))
					return
				}
				for n, name := range g.last {
					require.Contains(rt, g.windows[name], n, "the last result with row %d is %s", n, name)
				}
			})
			for i := range 2 {
				require.Positive(t, corrected[i], "results were corrected, before a job was broken off and behind that")
				require.Positive(t, early[i])
			}
		})
	}
}
