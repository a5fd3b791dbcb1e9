package source_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// timed is a fake server with a table of 20 rows, and when its pages were asked for.
type timed struct {
	*cqlfake.Server
	mu sync.Mutex
	at []time.Time
}

func newTimed(t *testing.T) (*timed, *gocql.Session) {
	t.Helper()
	s := &timed{Server: cqlfake.New(t)}
	s.Keyspace("ks", "t (id int PRIMARY KEY, v int)")
	for n := range 20 {
		s.Exec(fmt.Sprintf("INSERT INTO ks.t (id, v) VALUES (%d, %d)", n, n))
	}
	s.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Reads("ks.t") {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.at = append(s.at, time.Now())
		}
		return nil
	})
	return s, s.Session("ks")
}

// pace returns how many requests came, and how many a second.
func (s *timed) pace() (n int, perSecond float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = len(s.at)
	return n, float64(n-1) / s.at[n-1].Sub(s.at[0]).Seconds()
}

type idValue struct {
	ID int `cql:"id"`
	V  int `cql:"v"`
}

func TestThrottleHoldsRequestsForPagesBack(t *testing.T) {
	for name, of := range map[string]func(*gocql.Session, *rxcql.Rate) rxcql.Stream[idValue]{
		"Table": func(s *gocql.Session, limit *rxcql.Rate) rxcql.Stream[idValue] {
			return source.Table[idValue](s, "ks.t", source.PageRows(1), source.Splits(4), source.Throttle(limit))
		},
		"Query": func(s *gocql.Session, limit *rxcql.Rate) rxcql.Stream[idValue] {
			return source.Query[idValue](s, "SELECT id, v FROM ks.t", source.PageRows(1), source.Throttle(limit))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, session := newTimed(t)
				rows, err := of(session, rxcql.NewRate(rxcql.RequestsPerSecond(2))).Collect(t.Context())
				require.NoError(t, err)
				require.Len(t, rows, 20)
				n, pace := server.pace()
				require.GreaterOrEqual(t, n, 20)
				require.InDelta(t, 2, pace, 0.1)
			})
		})
		t.Run(name+", changed while it waits", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, session := newTimed(t)
				limit := rxcql.NewRate(rxcql.RequestsPerSecond(0.001))
				probe := rxcqltest.Observe(t, of(session, limit))
				time.Sleep(time.Minute)
				synctest.Wait()
				n, _ := server.pace()
				require.Equal(t, 1, n)
				require.NoError(t, limit.SetRequestsPerSecond(rxcql.Unlimited))
				start := time.Now()
				require.Len(t, probe.Take(20), 20)
				probe.ExpectComplete()
				require.Less(t, time.Since(start), time.Second)
			})
		})
		t.Run(name+", cancelled and stopped while it waits", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, session := newTimed(t)
				limit := rxcql.NewRate(rxcql.RequestsPerSecond(0.001))
				why := errors.New("why")
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
				defer cancel()
				start := time.Now()
				_, err := of(session, limit).Count(ctx)
				require.Equal(t, why, err)
				require.Equal(t, time.Second, time.Since(start))

				probe := rxcqltest.Observe(t, of(session, limit))
				time.Sleep(time.Second)
				probe.Stop()
				probe.ExpectEndedBy(rxcql.EndedByStop)
				require.Equal(t, 2*time.Second, time.Since(start))
				n, _ := server.pace()
				require.Equal(t, 1, n, "that of the first run")
			})
		})
	}
}

func TestSourcesThatShareARateStayWithinItTogetherAndRetriesCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, session := newTimed(t)
		failed := 0
		server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if failed < 5 && r.Reads("ks.t") {
				failed++
				return cqlfake.Drop()
			}
			return nil
		})
		limit := rxcql.NewRate(rxcql.RequestsPerSecond(1))
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				_, err := source.Query[idValue](session, "SELECT id, v FROM ks.t", source.PageRows(5), source.Throttle(limit)).Count(t.Context())
				assert.NoError(t, err)
			})
		}
		both.Wait()
		_, pace := server.pace()
		require.Less(t, pace, 1.1)
	})
}

func TestThrottleNeedsALimitOfRequests(t *testing.T) {
	for text, limit := range map[string]*rxcql.Rate{
		"Throttle: the Rate is nil":                      nil,
		"Throttle: the Rate has no limit of requests":    rxcql.NewRate(rxcql.RowsPerSecond(1)),
		"Throttle: RequestsPerSecond(-2): must be above": rxcql.NewRate(rxcql.RequestsPerSecond(-2)),
	} {
		_, err := source.Query[int](nil, "SELECT", source.Throttle(limit)).Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, text)
	}
}
