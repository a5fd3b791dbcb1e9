package rxcql_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
)

// tally counts what hooks are told.
type tally struct {
	mu                                       sync.Mutex
	pages, empty, rows, bytes, written, retr int64
	stages                                   map[string]bool
}

func (c *tally) note(stage string, fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stages == nil {
		c.stages = map[string]bool{}
	}
	c.stages[stage] = true
	fn()
}

func (c *tally) PageRead(stage string, rows int, bytes int64) {
	c.note(stage, func() {
		c.pages++
		c.rows += int64(rows)
		c.bytes += bytes
		if rows == 0 {
			c.empty++
		}
	})
}
func (c *tally) RowsWritten(stage string, rows int) {
	c.note(stage, func() { c.written += int64(rows) })
}
func (c *tally) Retried(stage string, err error) {
	c.note(stage, func() {
		if err == errTest {
			c.retr++
		}
	})
}

// pagesOnly implements one of the interfaces.
type pagesOnly struct{ n int }

func (p *pagesOnly) PageRead(string, int, int64) { p.n++ }

func TestHooksCountWhatTheReportCounts(t *testing.T) {
	c, one := &tally{}, &pagesOnly{}
	to := &memory[int]{open: func(_ context.Context, st *rxcql.Stage) error {
		st.Retried(errTest)
		st.Drop(2)
		return nil
	}}
	rep, err := pipeline(t, seq(100), to, rxcql.WithHooks(c), rxcql.WithHooks(one)).Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, []int64{rep.Pages, rep.EmptyPages, rep.ReadRows, rep.ReadBytes, rep.Written, rep.Retried},
		[]int64{c.pages, c.empty, c.rows, c.bytes, c.written, c.retr})
	require.EqualValues(t, rep.Pages, one.n)
	require.EqualValues(t, 2, rep.Filtered)
	require.Equal(t, map[string]bool{"Seq": true, "Memory": true}, c.stages)
	require.EqualValues(t, []int64{100, 100, 1}, []int64{rep.ReadRows, rep.Written, rep.Retried})
}

func TestAValueThatIsNoHookIsRefused(t *testing.T) {
	for _, no := range []rxcql.Hook{nil, 1, struct{}{}, func() {}} {
		_, err := rxcql.New(seq(1), &memory[int]{}, rxcql.WithHooks(no))
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, "implements none of PageReadHook, RowsWrittenHook, RetryHook, RowFailedHook")
	}
}

func TestAPanicInAHookIsAnErrorOfItsStage(t *testing.T) {
	_, err := pipeline(t, seq(3), &memory[int]{}, rxcql.WithHooks(broken{})).Run(context.Background())
	require.ErrorIs(t, err, rxcql.ErrPanic)
	require.ErrorContains(t, err, "stage Seq")
}

type broken struct{}

func (broken) PageRead(string, int, int64) { panic("hook") }
