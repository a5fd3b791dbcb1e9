package limiter_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/limiter"
)

// answer is an error of the server with this code.
type answer int

func (a answer) Code() int     { return int(a) }
func (answer) Message() string { return "an answer" }
func (a answer) Error() string { return "an answer" }

func newLimiter(limit int) *limiter.Limiter {
	return limiter.New(limit, slog.New(slog.DiscardHandler), nil)
}

func enter(t *testing.T, w *limiter.Limiter, n int) (tickets []uint64) {
	t.Helper()
	for range n {
		ticket, err := w.Enter(t.Context())
		require.NoError(t, err)
		tickets = append(tickets, ticket)
	}
	return tickets
}

const (
	serverError   answer = 0x0000
	unavailable   answer = 0x1000
	overloaded    answer = 0x1001
	bootstrapping answer = 0x1002
	writeTimeout  answer = 0x1100
	readTimeout   answer = 0x1200
	casUnknown    answer = 0x1700
	invalid       answer = 0x2200
	unprepared    answer = 0x2500
)

func TestTheWindowIsHalvedOnceForRequestsThatWereOutTogether(t *testing.T) {
	for _, err := range []error{overloaded, readTimeout, writeTimeout, casUnknown, gocql.ErrTimeoutNoResponse, gocql.ErrConnectionClosed, gocql.ErrNoConnections} {
		w := newLimiter(64)
		for _, ticket := range enter(t, w, 64) {
			w.Leave(ticket, err)
			require.Equal(t, 32, w.Limit(), "%v", err)
		}
		for _, want := range []int{16, 8, 4, 2, 1, 1, 1} {
			for _, ticket := range enter(t, w, w.Limit()) {
				w.Leave(ticket, err)
			}
			require.Equal(t, want, w.Limit(), "%v", err)
		}
	}
}

func TestOtherFailuresDoNotNarrowTheWindow(t *testing.T) {
	for _, err := range []error{unavailable, bootstrapping, serverError, unprepared, invalid, errors.New("other"), context.Canceled} {
		w := newLimiter(8)
		for _, ticket := range enter(t, w, 8) {
			w.Leave(ticket, err)
		}
		require.Equal(t, 8, w.Limit(), "%v", err)
	}
}

func TestTheWindowGrowsByOneForEachFullWindowOfSuccessesUpToItsMost(t *testing.T) {
	w := newLimiter(8)
	tickets := enter(t, w, 8)
	w.Leave(tickets[0], overloaded)
	for _, late := range tickets[1:] { // successes of the time before the cut
		w.Leave(late, nil)
	}
	require.Equal(t, 4, w.Limit())
	for _, limit := range []int{4, 5, 6, 7} {
		for i := range limit {
			require.Equal(t, limit, w.Limit(), "after %d", i)
			w.Leave(enter(t, w, 1)[0], nil)
		}
		require.Equal(t, limit+1, w.Limit())
	}
	for range 100 {
		w.Leave(enter(t, w, 1)[0], nil)
	}
	require.Equal(t, 8, w.Limit())
}

func TestNoMoreAreOutThanTheWindowHasRoomForAndWhoWaitsLongestIsNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLimiter(4)
		tickets := enter(t, w, 4)
		var mu sync.Mutex
		entered := map[int]uint64{}
		so := func() int {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return len(entered)
		}
		for i := range 6 {
			go func() {
				ticket, err := w.Enter(context.Background())
				if err != nil {
					return
				}
				mu.Lock()
				entered[i] = ticket
				mu.Unlock()
				time.Sleep(time.Second)
				w.Leave(ticket, nil)
			}()
			synctest.Wait()
		}
		require.Zero(t, so())
		w.Leave(tickets[0], overloaded) // room for two, and three are out
		require.Zero(t, so())
		w.Leave(tickets[1], nil)
		require.Zero(t, so())
		w.Leave(tickets[2], nil)
		require.Equal(t, 1, so())
		time.Sleep(10 * time.Second)
		require.Equal(t, 6, so())
		for i := range 5 {
			require.Less(t, entered[i], entered[i+1])
		}
		w.Leave(tickets[3], nil)
	})
}

func TestAWaitForTheWindowEndsWithItsContextAndLosesNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLimiter(1)
		first := enter(t, w, 1)[0]
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error, 2)
		for range 2 {
			go func() {
				ticket, err := w.Enter(ctx)
				if err == nil {
					w.Leave(ticket, nil)
				}
				ended <- err
			}()
		}
		synctest.Wait()
		cancel(gone)
		w.Leave(first, nil) // at the same time
		for range 2 {
			if err := <-ended; err != nil {
				require.ErrorIs(t, err, gone)
			}
		}
		_, err := w.Enter(ctx)
		require.ErrorIs(t, err, gone)
		require.Len(t, enter(t, w, 1), 1)
	})
}
