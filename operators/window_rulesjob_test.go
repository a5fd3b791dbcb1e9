package operators_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// ruledJob is a job of Window, broken off where a test says so.
type ruledJob struct {
	parts    *jobtest.Parts[stamped]
	windows  operators.Windows
	opts     []operators.WindowOption
	slack    time.Duration
	saves    []rxcql.CheckpointOption
	breaksAt int             // the number of the row before which the run ends; 0 for none
	came     func(r stamped) // called with each row before it comes to the windows; may be nil
	flush    error           // of the sink, when all has been written

	store *jobtest.Store
	table *upserted
	given []string // the results of the last run, in their order
	late  []int    // the numbers of its late rows
}

// newRuledJob has rows that are numbered from 1 on, in pages of one.
func newRuledJob(windows operators.Windows, parts ...[]stamped) *ruledJob {
	number := 0
	for _, rows := range parts {
		for i := range rows {
			number++
			rows[i].number = number
		}
	}
	return &ruledJob{
		parts: &jobtest.Parts[stamped]{Rows: parts, PageRows: 1}, windows: windows,
		store: &jobtest.Store{}, table: &upserted{rows: map[string][]int{}},
	}
}

// rowsAt are rows of key 0.
func rowsAt(times ...int) (rows []stamped) {
	for _, at := range times {
		rows = append(rows, stamped{at: at})
	}
	return rows
}

func (j *ruledJob) run() (rxcql.Report, error) {
	j.given, j.late = nil, nil
	timed := operators.EventTime(j.parts.Stream(), stampedAt, operators.OutOfOrderness(j.slack))
	rows := operators.Tap(timed, func(r stamped) error {
		if r.number == j.breaksAt {
			return errSink
		}
		if j.came != nil {
			j.came(r)
		}
		return nil
	})
	opts := append([]operators.WindowOption{operators.WindowKeys(1 << 20), operators.LateRows(func(r stamped) error {
		j.late = append(j.late, r.number)
		return nil
	})}, j.opts...)
	results := operators.Window(rows, j.windows, timeOfStamped, stampedKey, noTimes, addNumber, opts...)
	to := sink.Each(func(_ context.Context, r operators.WindowResult[int, []int]) error {
		j.given = append(j.given, fmt.Sprintf("%d %v %d-%d %v", r.Key, r.Kind, r.Start.Unix(), r.End.Unix(), r.Value))
		return j.table.upsert(r)
	}, sink.Idempotent(), sink.InFlight(1))
	return rxcql.Run(context.Background(), results, failsAtFlush(to, j.flush), rxcql.WithCheckpoint(j.store, "job", j.saves...))
}

// brokenOff runs the job until a row is about to come to the windows.
func (j *ruledJob) brokenOff(t *testing.T, before int) {
	t.Helper()
	j.breaksAt = before
	_, err := j.run()
	require.ErrorIs(t, err, errSink)
	j.breaksAt = 0
}

func (j *ruledJob) completes(t *testing.T) rxcql.Report {
	t.Helper()
	rep, err := j.run()
	require.NoError(t, err)
	require.True(t, rep.Complete)
	return rep
}

func (j *ruledJob) state(t *testing.T) *saved.State {
	t.Helper()
	state, err := j.store.State("job")
	require.NoError(t, err)
	return state
}

// failsAtFlush is a sink that fails when all has been written. A nil error leaves it as it is.
func failsAtFlush[T any](to rxcql.Sink[T], err error) rxcql.Sink[T] {
	if err == nil {
		return to
	}
	return flushFails[T]{to, err}
}

type flushFails[T any] struct {
	rxcql.Sink[T]
	err error
}

func (f flushFails[T]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	w, err := f.Sink.Open(ctx, r)
	return flushFailing[T]{w, f.err}, err
}

type flushFailing[T any] struct {
	rxcql.Writer[T]
	err error
}

func (f flushFailing[T]) Flush(ctx context.Context) error {
	if err := f.Writer.Flush(ctx); err != nil {
		return err
	}
	return f.err
}

// sorted are the numbers in each window of the table.
func (j *ruledJob) sorted() map[string][]int {
	for _, numbers := range j.table.rows {
		slices.Sort(numbers)
	}
	return j.table.rows
}
