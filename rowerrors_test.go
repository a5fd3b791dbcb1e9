package rxcql_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

const canary = "s3cret-value"

var errRow = errors.New("a row failed")

// badAt fails at the rows for which bad is true.
func badAt(n int, err error, bad func(int) bool) rxcql.Stream[int] {
	return operators.Map(seq(n), func(n int) (int, error) {
		if bad(n) {
			return 0, err
		}
		return n, nil
	})
}

func tenth(n int) bool { return n%10 == 0 }

func skipping(t *testing.T, in rxcql.Stream[int], policy rxcql.RowErrorPolicy) (rxcql.Report, error) {
	t.Helper()
	return pipeline(t, in, &memory[int]{}, rxcql.WithRowErrors(policy)).Run(context.Background())
}

func TestWithoutAPolicyARowThatFailsEndsTheRun(t *testing.T) {
	for _, opts := range [][]rxcql.Option{nil, {rxcql.WithRowErrors(rxcql.FailOnRowError())}, {rxcql.WithRowErrors(rxcql.SkipRows(0))}} {
		rep, err := pipeline(t, badAt(100, errRow, func(n int) bool { return n == 42 }), &memory[int]{}, opts...).Run(context.Background())
		require.ErrorIs(t, err, errRow)
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row)
		require.Equal(t, rxcql.RowError{Range: "all", Page: 4, Row: 2, Err: errRow}, *row)
		require.Zero(t, rep.Skipped)
		require.EqualValues(t, 4, rep.PagesSettled)
	}
}

func TestRowsAreSkippedUpToTheMaximum(t *testing.T) {
	rep, err := skipping(t, badAt(100, errRow, tenth), rxcql.SkipRows(10))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, []int64{100, 90, 10, 10, rep.Pages},
		[]int64{rep.ReadRows, rep.Written, rep.Skipped, rep.Stages[1].Skipped, rep.PagesSettled})
	require.Contains(t, rep.String(), "10 rows failed: 10 skipped, 0 dead-lettered")

	rep, err = skipping(t, badAt(100, errRow, tenth), rxcql.SkipRows(9))
	var limit *rxcql.SkipLimitError
	require.ErrorAs(t, err, &limit)
	require.Equal(t, []any{"SkipRows(9)", int64(10), int64(100)}, []any{limit.Limit, limit.Failed, limit.Read})
	require.ErrorContains(t, err, "SkipRows(9)")
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.EqualValues(t, 9, row.Page, "of the last row")
	require.EqualValues(t, 9, rep.Skipped)
	require.EqualValues(t, 9, rep.PagesSettled)
	require.False(t, rep.Complete)
}

func TestRowsAreSkippedUpToSoManyPerCent(t *testing.T) {
	for _, each := range []struct {
		name    string
		bad     func(int) bool
		percent float64
		after   int64
		read    int64 // at the error; 0: none
	}{
		{"just as many", tenth, 10, 0, 0},
		{"more", tenth, 9.9, 0, 10},
		{"more, from some rows on", tenth, 9.9, 55, 60},
		{"many among the first", func(n int) bool { return n < 20 }, 2, 1000, 0},
		{"many among the first, and not enough rows after them", func(n int) bool { return n < 21 }, 2, 5000, 1000},
	} {
		rep, err := skipping(t, badAt(1000, errRow, each.bad), rxcql.SkipPercent(each.percent, each.after))
		if each.read == 0 {
			require.NoError(t, err, each.name)
			require.Equal(t, rep.ReadRows, rep.Written+rep.Skipped)
			continue
		}
		var limit *rxcql.SkipLimitError
		require.ErrorAs(t, err, &limit, each.name)
		require.Equal(t, each.read, limit.Read, each.name)
		require.ErrorIs(t, err, errRow)
		require.False(t, rep.Complete)
	}
}

func TestPoliciesThatCannotBeAreReported(t *testing.T) {
	for _, policy := range []rxcql.RowErrorPolicy{
		rxcql.SkipRows(-1), rxcql.SkipPercent(0, 0), rxcql.SkipPercent(101, 0), rxcql.SkipPercent(1, -1), rxcql.DeadLetter(nil),
	} {
		_, err := rxcql.New(seq(1), &memory[int]{}, rxcql.WithRowErrors(policy))
		require.ErrorIs(t, err, rxcql.ErrConfig)
	}
}

func TestWhatAnyRowWouldMeetIsNoRowError(t *testing.T) {
	for _, err := range []error{
		gocql.ErrNoConnections, gocql.ErrTimeoutNoResponse, gocql.ErrConnectionClosed, gocql.ErrSessionClosed, gocql.ErrUnavailable,
		context.DeadlineExceeded, context.Canceled, os.ErrDeadlineExceeded, rxcql.ErrSchema, rxcql.ErrPanic, rxcql.ErrConfig,
		&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, &net.DNSError{}, &fs.PathError{Op: "write", Err: syscall.ENOSPC},
		refusal{0x1000, "unavailable"}, refusal{0x1001, "busy"}, refusal{0x1100, "late"}, refusal{0x2000, "syntax"},
		refusal{0x2100, "forbidden"}, refusal{0x0000, "broken"}, refusal{0x2200, "Guardrail replica_disk_usage violated"},
		refusal{0x2200, "Guardrail read_consistency_levels violated: Provided values [ONE] are not allowed"},
		refusal{0x2200, "ANY ConsistencyLevel is only supported for writes"},
		refusal{0x2200, "You must use conditional updates for serializable writes"},
	} {
		rep, got := skipping(t, badAt(100, fmt.Errorf("for the row: %w", err), tenth), rxcql.SkipRows(1000))
		require.ErrorIs(t, got, err, "%v", err)
		require.Zero(t, rep.Skipped, "%v", err)
	}
	for _, err := range []error{
		io.EOF, io.ErrUnexpectedEOF, &fs.PathError{Op: "open", Err: syscall.ENOENT}, errRow,
		refusal{0x2200, "wrong"}, refusal{0x2200, "Batch too large"}, gocql.ErrFrameTooBig,
	} {
		rep, got := skipping(t, badAt(100, fmt.Errorf("for the row: %w", err), tenth), rxcql.SkipRows(1000))
		require.NoError(t, got, "%v", err)
		require.EqualValues(t, 10, rep.Skipped)
	}
}

// refusal is an answer of the server.
type refusal struct {
	code    int
	message string
}

func (r refusal) Code() int       { return r.code }
func (r refusal) Message() string { return r.message }
func (r refusal) Error() string   { return r.message }

func TestHooksAndTheLogHearOfRowsThatFailed(t *testing.T) {
	var log bytes.Buffer
	heard := &rowsHeard{}
	in := badAt(100, fmt.Errorf("cannot read %q", canary), tenth)
	rep, err := pipeline(t, in, &memory[int]{}, rxcql.WithRowErrors(rxcql.SkipRows(10)), rxcql.WithHooks(rxcql.Hooks{RowFailed: heard.rowFailed}),
		rxcql.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))).Run(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 10, rep.Skipped)
	require.Len(t, heard.events, 10)
	require.Equal(t, rxcql.RowFailedEvent{
		Stage: "Map", Range: "all", Page: 3, Row: 0, Reason: `cannot read "…"`,
	}, heard.events[3])
	require.Equal(t, 10, strings.Count(log.String(), "a row failed"))
	require.NotContains(t, log.String(), canary, "the text of the user's error")
	require.NotContains(t, fmt.Sprint(rep), canary)
}

type rowsHeard struct {
	mu     sync.Mutex
	events []rxcql.RowFailedEvent
}

func (h *rowsHeard) rowFailed(_ context.Context, e rxcql.RowFailedEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

func TestACancelIsNotTakenForARowThatFails(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	in := operators.Map(seq(100), func(n int) (int, error) {
		if n == 42 {
			cancel(errTest)
			return 0, errRow
		}
		return n, nil
	})
	rep, err := pipeline(t, in, &memory[int]{}, rxcql.WithRowErrors(rxcql.SkipRows(10))).Run(ctx)
	require.Equal(t, errTest, err)
	require.Zero(t, rep.Skipped)
	require.EqualValues(t, 4, rep.PagesSettled)
}
