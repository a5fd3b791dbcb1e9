package source_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// countFrom yields from to n-1, and notes where it was asked to begin.
func countFrom(n int, asked *[]int64) func(int64) iter.Seq2[int, error] {
	return func(from int64) iter.Seq2[int, error] {
		*asked = append(*asked, from)
		return func(yield func(int, error) bool) {
			for i := int(from); i < n && yield(i, nil); i++ {
			}
		}
	}
}

func TestRowsThatCanBeHadFromAnyOnGoOnWhereTheyWereBrokenOff(t *testing.T) {
	store, broken := &jobtest.Store{}, errors.New("broken")
	var asked []int64
	var got []int
	run := func(what string, failAt int) (rxcql.Report, error) {
		to := sink.Each(func(_ context.Context, n int) error {
			if n == failAt {
				return broken
			}
			got = append(got, n)
			return nil
		}, sink.Idempotent())
		p, err := rxcql.New(source.SeqFrom(what, countFrom(100, &asked), source.PageRows(7)), to, rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		return p.Run(context.Background())
	}
	_, err := run("a", 30)
	require.ErrorIs(t, err, broken)
	_, err = run("b", -1)
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, `rows was "a" and is "b"`)
	_, err = run("a", 61)
	require.ErrorIs(t, err, broken)
	rep, err := run("a", -1)
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Equal(t, []int64{0, 28, 56}, asked) // whole pages of 7
	require.EqualValues(t, 56, rep.ResumedRows)
	seen := map[int]bool{}
	for _, n := range got {
		seen[n] = true
	}
	require.Len(t, seen, 100)
	require.Len(t, got, 30+61-28+100-56)

	_, err = run("a", -1) // anew
	require.NoError(t, err)
	require.EqualValues(t, 0, asked[3])
}

func TestAStateThatIsNoNumberIsDamage(t *testing.T) {
	store := &jobtest.Store{}
	whole := saved.Part{Pages: 1, State: []byte("-3")}
	whole.Range.Start, whole.Range.End = flow.WholeRange.Start, flow.WholeRange.End
	data, err := saved.Encode(&saved.State{Job: "job", Sinks: []saved.Sink{{Stage: "Each"}}, Sources: []saved.Source{{
		Stage: "Seq", Facts: []saved.Fact{{Name: "rows", Value: "a"}}, Parts: []saved.Part{whole},
	}}})
	require.NoError(t, err)
	store.Put("job", data)
	var asked []int64
	each := sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent())
	p, err := rxcql.New(source.SeqFrom("a", countFrom(3, &asked)), each, rxcql.WithCheckpoint(store, "job"))
	require.NoError(t, err)
	_, err = p.Run(context.Background())
	require.ErrorIs(t, err, rxcql.ErrCheckpointDamaged)
	require.Empty(t, asked)
}

func TestSeqFromNamesWhatIsMissing(t *testing.T) {
	_, err := source.SeqFrom[int]("", nil, nil, source.PageRows(0)).Collect(context.Background())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	for _, words := range []string{"function is nil", "name the rows", "option is nil", "PageRows(0)"} {
		require.ErrorContains(t, err, words)
	}
}
