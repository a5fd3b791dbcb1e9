package rxcql_test

import (
	"context"
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
)

// tally counts what hooks are told.
type tally struct {
	mu                                       sync.Mutex
	pages, empty, rows, bytes, written, retr int64
	retries                                  []rxcql.RetryEvent
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

func (c *tally) hooks() rxcql.Hooks {
	return rxcql.Hooks{
		PageRead: func(_ context.Context, e rxcql.PageEvent) {
			c.note(e.Stage, func() {
				c.pages++
				c.rows += int64(e.Rows)
				c.bytes += e.Bytes
				if e.Rows == 0 {
					c.empty++
				}
			})
		},
		RowsWritten: func(_ context.Context, e rxcql.WrittenEvent) {
			c.note(e.Stage, func() { c.written += int64(e.Rows) })
		},
		Retry: func(_ context.Context, e rxcql.RetryEvent) {
			c.note(e.Stage, func() {
				c.retr++
				c.retries = append(c.retries, e)
			})
		},
	}
}

// everyHook has fn called for each event, with the name of the function.
func everyHook(fn func(ctx context.Context, name string, e any)) rxcql.Hooks {
	return rxcql.Hooks{
		RunStart:      starting[rxcql.RunEvent](fn, "RunStart"),
		RunEnd:        telling[rxcql.RunEvent](fn, "RunEnd"),
		FetchStart:    starting[rxcql.FetchEvent](fn, "FetchStart"),
		FetchEnd:      telling[rxcql.FetchEvent](fn, "FetchEnd"),
		WriteStart:    starting[rxcql.WriteEvent](fn, "WriteStart"),
		WriteEnd:      telling[rxcql.WriteEvent](fn, "WriteEnd"),
		SaveStart:     starting[rxcql.SaveEvent](fn, "SaveStart"),
		SaveEnd:       telling[rxcql.SaveEvent](fn, "SaveEnd"),
		PageRead:      telling[rxcql.PageEvent](fn, "PageRead"),
		RowsWritten:   telling[rxcql.WrittenEvent](fn, "RowsWritten"),
		Retry:         telling[rxcql.RetryEvent](fn, "Retry"),
		Recover:       telling[rxcql.RecoverEvent](fn, "Recover"),
		InFlightLimit: telling[rxcql.LimitEvent](fn, "InFlightLimit"),
		BudgetWait:    telling[rxcql.BudgetEvent](fn, "BudgetWait"),
		RowFailed:     telling[rxcql.RowFailedEvent](fn, "RowFailed"),
		RowsDropped:   telling[rxcql.DroppedEvent](fn, "RowsDropped"),
		RowsLate:      telling[rxcql.LateEvent](fn, "RowsLate"),
	}
}

func telling[E any](fn func(context.Context, string, any), name string) func(context.Context, E) {
	return func(ctx context.Context, e E) { fn(ctx, name, e) }
}

func starting[E any](fn func(context.Context, string, any), name string) func(context.Context, E) context.Context {
	return func(ctx context.Context, e E) context.Context {
		fn(ctx, name, e)
		return ctx
	}
}

// hookNames are those of all functions that there are.
func hookNames() (names []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[rxcql.Hooks]()) {
		names = append(names, f.Name)
	}
	return names
}

// only are the hooks of that name alone.
func only(name string, h rxcql.Hooks) (one rxcql.Hooks) {
	reflect.ValueOf(&one).Elem().FieldByName(name).Set(reflect.ValueOf(h).FieldByName(name))
	return one
}

// pagesOnly listens to one event.
type pagesOnly struct{ n int }

func (p *pagesOnly) hooks() rxcql.Hooks {
	return rxcql.Hooks{PageRead: func(context.Context, rxcql.PageEvent) { p.n++ }}
}

func TestHooksCountWhatTheReportCounts(t *testing.T) {
	c, one := &tally{}, &pagesOnly{}
	to := &memory[int]{open: func(_ context.Context, st *rxcql.Stage) error {
		st.CountRetry(errTest)
		st.CountDropped(2)
		return nil
	}}
	rep, err := pipeline(t, seq(100), to, rxcql.WithHooks(c.hooks()), rxcql.WithHooks(one.hooks())).Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, []int64{rep.Pages, rep.EmptyPages, rep.ReadRows, rep.ReadBytes, rep.Written, rep.Retried},
		[]int64{c.pages, c.empty, c.rows, c.bytes, c.written, c.retr})
	require.EqualValues(t, rep.Pages, one.n)
	require.EqualValues(t, 2, rep.Filtered)
	require.Equal(t, map[string]bool{"Seq": true, "Memory": true}, c.stages)
	require.EqualValues(t, []int64{100, 100, 1}, []int64{rep.ReadRows, rep.Written, rep.Retried})
	require.Equal(t, []rxcql.RetryEvent{{Stage: "Memory", Err: errTest, ErrorType: "other"}}, c.retries)
}

func TestHooksWithoutAFunctionAreRefused(t *testing.T) {
	_, err := rxcql.New(seq(1), &memory[int]{}, rxcql.WithHooks((&tally{}).hooks(), rxcql.Hooks{}))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "WithHooks: argument 2 has no function")
}
