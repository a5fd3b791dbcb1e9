package operators_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
)

// begunParts are so many parts of two pages, most of which are begun and not done
// half way: it takes long to write down where they are, and parts end meanwhile.
func begunParts(n int) *jobtest.Parts[cell] {
	p := &jobtest.Parts[cell]{PageRows: 1, Seed: 1}
	for part := range n {
		p.Rows = append(p.Rows, []cell{{part: part}, {part: part, row: 1}})
	}
	return p
}

// savedJob is a job and where it is saved.
type savedJob struct {
	parts *jobtest.Parts[cell]
	store *jobtest.Store
}

// keeping runs the job once and returns the rows that came to its sink.
func (s savedJob) keeping(t *testing.T) (map[cell]bool, rxcql.Report, error) {
	t.Helper()
	rows := map[cell]bool{}
	to := sink.Each(func(_ context.Context, c cell) error {
		rows[c] = true
		return nil
	}, sink.Idempotent())
	p, err := rxcql.New(s.parts.Stream(), to, rxcql.WithCheckpoint(s.store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	return rows, rep, err
}

func TestWhatIsSavedWhileRangesEndCanBeReadAndLosesNothing(t *testing.T) {
	const parts = 15_000
	store := &jobtest.Store{}
	job := savedJob{begunParts(parts), store}
	var all [][]byte // of what was saved
	store.FailSave = func(n int) error {
		if n == 1 {
			return nil
		}
		all = append(all, store.Get("job"))
		_, err := store.State("job")
		return err
	}
	_, rep, err := job.keeping(t)
	require.NoError(t, err)
	require.True(t, rep.Complete)
	state, err := store.State("job")
	require.NoError(t, err)
	require.True(t, state.Complete)
	require.NotEmpty(t, all)

	for i := 0; i < len(all); i += 1 + len(all)/3 {
		again := savedJob{begunParts(parts), &jobtest.Store{}}
		again.store.Put("job", all[i])
		settled := settledRows(t, again.store, again.parts)
		rows, rep, err := again.keeping(t)
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.EqualValues(t, len(settled), rep.ResumedRows)
		require.Len(t, rows, 2*parts-len(settled))
		for _, row := range settled {
			require.False(t, rows[row], "%v was settled", row)
		}
	}
}
