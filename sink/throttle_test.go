package sink_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
)

// paced is a fake server, and when it was asked to write.
type paced struct {
	*cqlfake.Server
	mu sync.Mutex
	at []time.Time
}

func newPaced(t *testing.T) (*paced, *gocql.Session) {
	t.Helper()
	s := &paced{Server: cqlfake.New(t)}
	s.Keyspace("ks", "t (id int PRIMARY KEY)")
	s.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Writes("ks.t") {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.at = append(s.at, time.Now())
		}
		return nil
	})
	return s, s.Session("ks")
}

func (s *paced) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.at)
}

func (s *paced) pace() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.at)
	return float64(n-1) / s.at[n-1].Sub(s.at[0]).Seconds()
}

// throttled are the sinks that send requests.
var throttled = map[string]func(*gocql.Session, *rxcql.Rate) rxcql.Sink[int]{
	"Table": func(s *gocql.Session, limit *rxcql.Rate) rxcql.Sink[int] {
		return sink.Table[int](s, "ks.t", sink.Columns("id"), sink.Throttle(limit))
	},
	"Exec": func(s *gocql.Session, limit *rxcql.Rate) rxcql.Sink[int] {
		return sink.Exec(s, "INSERT INTO ks.t (id) VALUES (?)", func(n int) ([]any, error) { return []any{n}, nil }, sink.Idempotent(), sink.Throttle(limit))
	},
}

func rowsUpTo(n int) *rxcqltest.Script[int] {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rxcqltest.NewScript[int]().Page(rows...)
}

func TestThrottleHoldsRequestsThatWriteBack(t *testing.T) {
	for name, to := range throttled {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, session := newPaced(t)
				rep, err := rxcql.Run(t.Context(), rowsUpTo(100).Stream(), to(session, rxcql.NewRate(rxcql.RequestsPerSecond(10))))
				require.NoError(t, err)
				require.EqualValues(t, 100, rep.Written)
				require.Equal(t, 100, server.requests())
				require.InDelta(t, 10, server.pace(), 0.3)
			})
		})
		t.Run(name+", attempts count", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, session := newPaced(t)
				for range 10 {
					server.ControlOnce(func(r *cqlfake.Request) *cqlfake.Reply {
						if r.Writes("ks.t") {
							return cqlfake.Fail(&message.WriteTimeout{ErrorMessage: "late", WriteType: primitive.WriteTypeSimple})
						}
						return nil
					})
				}
				rep, err := rxcql.Run(t.Context(), rowsUpTo(20).Stream(), to(session, rxcql.NewRate(rxcql.RequestsPerSecond(1))))
				require.NoError(t, err)
				require.EqualValues(t, 10, rep.Retried)
				require.Equal(t, 30, server.requests())
				require.InDelta(t, 1, server.pace(), 0.05)
			})
		})
		t.Run(name+", changed while it waits", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, session := newPaced(t)
				limit := rxcql.NewRate(rxcql.RequestsPerSecond(0.001))
				time.AfterFunc(time.Minute, func() {
					if server.requests() == 1 {
						_ = limit.SetRequestsPerSecond(rxcql.Unlimited)
					}
				})
				rep, err := rxcql.Run(t.Context(), rowsUpTo(50).Stream(), to(session, limit))
				require.NoError(t, err)
				require.EqualValues(t, 50, rep.Written)
				require.Less(t, rep.Duration, 2*time.Minute)
			})
		})
	}
}

func TestAWaitForARateEndsWithTheRunAndNothingThatWaitedIsSentOrFailed(t *testing.T) {
	why := fmt.Errorf("why: %w", driver.ErrEmptyBatch) // of the class of what a row is to blame for
	for name, to := range throttled {
		for how, c := range map[string]struct {
			in   func(p func() *rxcql.Pipeline) *rxcqltest.Script[int]
			sent int
			err  error
		}{
			"cancel":          {func(func() *rxcql.Pipeline) *rxcqltest.Script[int] { return rowsUpTo(50).Delay(time.Hour) }, 1, why},
			"error of stream": {func(func() *rxcql.Pipeline) *rxcqltest.Script[int] { return rowsUpTo(50).Delay(time.Second).Fail(why) }, 1, why},
			"Stop": {func(p func() *rxcql.Pipeline) *rxcqltest.Script[int] {
				return rowsUpTo(50).Do(func(context.Context) error {
					p().Stop()
					return nil
				}).Page(100)
			}, 50, nil},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server, session := newPaced(t)
					var p *rxcql.Pipeline
					in := c.in(func() *rxcql.Pipeline { return p })
					p, err := rxcql.New(in.Stream(), to(session, rxcql.NewRate(rxcql.RequestsPerSecond(0.001))), rxcql.WithRowErrors(rxcql.SkipRows(1000)))
					require.NoError(t, err)
					ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Second, why)
					defer cancel()
					start := time.Now()
					rep, err := p.Run(ctx)
					if c.err == nil {
						require.NoError(t, err)
						require.Equal(t, rep.Pages, rep.PagesSettled)
					} else {
						require.ErrorIs(t, err, why)
						require.NotContains(t, err.Error(), "given up")
						require.Zero(t, rep.PagesSettled)
					}
					if how == "error of stream" {
						require.Less(t, time.Since(start), 1500*time.Millisecond, "the run does not wait for the turn of what waits")
					}
					require.LessOrEqual(t, time.Since(start), 3*time.Second)
					require.EqualValues(t, c.sent, rep.Written)
					require.Equal(t, c.sent, server.requests())
					require.Zero(t, rep.Skipped, "no row has failed")
					require.Zero(t, rep.Unknown)
					require.Zero(t, rep.BytesInFlight)
				})
			})
		}
	}
}

func TestThrottleOfASinkNeedsALimitOfRequests(t *testing.T) {
	for name, to := range throttled {
		err := to(nil, rxcql.NewRate(rxcql.RowsPerSecond(1))).Info().Err
		require.ErrorIs(t, err, rxcql.ErrConfig, name)
		require.ErrorContains(t, err, "Throttle: the Rate has no limit of requests", name)
	}
}
