package sink_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
)

func TestABatchIsWrittenAgainAsAWholeWithItsTimestamps(t *testing.T) {
	for name, failure := range map[string]error{
		"overloaded": overloaded, "unavailable": unavailable, "bootstrapping": bootstrapping, "write timeout": writeTimeout,
		"server error": serverError, "unprepared": driver.ErrUnpreparedLoop, "connection lost": gocql.ErrConnectionClosed,
		"no hosts": gocql.ErrNoConnections, "client timeout": gocql.ErrTimeoutNoResponse, "no streams": gocql.ErrNoStreams,
		"a small batch that replicas fail at": writeFailure{},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var refused []sink.Sent
				server := &recorder{}
				server.refuse = func(s sink.Sent) error {
					if len(refused) < 20 {
						refused = append(refused, s)
						return failure
					}
					return nil
				}
				rep, err := run(t, sequence(partitions(1, 100)...), sink.TableOn[event](server.send, events(), sink.InFlight(1)),
					rxcql.WithRetry(time.Hour, 0))
				require.NoError(t, err)
				require.Len(t, server.sent, 1)
				for _, s := range refused {
					require.Equal(t, server.sent[0].Rows, s.Rows)
				}
				require.EqualValues(t, 20, rep.Retried)
				require.EqualValues(t, 100, rep.Written)
				require.Zero(t, rep.Unknown)
				require.True(t, rep.Complete)
			})
		})
	}
}

func TestAWriteThatDoesNotPassEndsTheRunAndSaysWhatIsKnown(t *testing.T) {
	for name, each := range map[string]struct {
		failure error
		again   bool
		unknown int64
	}{
		"overloaded":       {overloaded, true, 100},
		"write timeout":    {writeTimeout, true, 100},
		"connection lost":  {gocql.ErrConnectionClosed, true, 100},
		"unavailable":      {unavailable, true, 0},
		"no hosts":         {gocql.ErrNoConnections, true, 0},
		"no streams":       {gocql.ErrNoStreams, true, 0},
		"unauthorized":     {answer(0x2100), false, 0},
		"something unsaid": {errors.New("other"), false, 100},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &recorder{refuse: func(sink.Sent) error { return each.failure }}
				rep, err := run(t, sequence(partitions(1, 100)...), sink.TableOn[event](server.send, events()))
				require.ErrorIs(t, err, each.failure)
				require.Equal(t, each.again, rep.Retried > 0)
				require.Equal(t, each.unknown > 0, errors.Is(err, rxcql.ErrUnknownOutcome))
				require.Equal(t, each.unknown, rep.Unknown)
				require.Zero(t, rep.Written)
				require.Zero(t, rep.PagesSettled)
				require.Zero(t, rep.BytesInFlight)
				if each.again {
					require.ErrorContains(t, err, "in 1m0s")
				}
			})
		})
	}
}

func TestARowOfWhichAnEarlierAttemptLeftTheOutcomeOpenIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &recorder{}
		calls := 0
		server.refuse = func(s sink.Sent) error {
			if calls++; calls == 1 {
				return writeTimeout
			}
			for _, r := range s.Rows {
				if string(r.Values[2].([]byte)) == "bad" {
					return invalid{}
				}
			}
			return nil
		}
		rows := partitions(1, 100)
		rows[42].V = "bad"
		rep, err := run(t, sequence(rows...), sink.TableOn[event](server.send, events(), sink.InFlight(1)))
		require.ErrorIs(t, err, rxcql.ErrUnknownOutcome)
		require.Equal(t, []int{42}, badRows(errors.Unwrap(err)))
		require.EqualValues(t, 1, rep.Unknown)
		require.EqualValues(t, 99, rep.Written)
	})
}

func TestRowsWithAListAreSentAsOftenAsTheirTimestampsAllow(t *testing.T) {
	about := tableOf(column("p", schema.PartitionKey, "bigint"), column("v", schema.Regular, "list<text>"))
	type row struct {
		P int64    `cql:"p"`
		V []string `cql:"v"`
	}
	synctest.Test(t, func(t *testing.T) {
		var attempts []int
		server := &recorder{}
		server.refuse = func(s sink.Sent) error {
			if attempts = append(attempts, s.Attempt); len(attempts)%2 == 0 {
				return unavailable // applied nothing: the timestamp serves again
			}
			return writeTimeout
		}
		rep, err := run(t, sequence(row{P: 1, V: []string{"a"}}), sink.TableOn[row](server.send, about), rxcql.WithRetry(time.Hour, 0))
		require.ErrorIs(t, err, rxcql.ErrUnknownOutcome)
		require.ErrorContains(t, err, "sent 16 times")
		require.EqualValues(t, 1, rep.Unknown)
		require.Equal(t, sink.AttemptsPerRow-1, attempts[len(attempts)-1])
		for i, attempt := range attempts {
			require.Equal(t, (i+1)/2, attempt)
		}
	})
}

func TestAfterACancelNoAttemptBeginsAndThoseUnderWayAreFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		calls := map[byte]int{} // by partition
		server := func(ctx context.Context, s sink.Sent) error {
			p := s.Rows[0].Values[0].([]byte)[7]
			mu.Lock()
			calls[p]++
			mu.Unlock()
			if p == 0 {
				return overloaded
			}
			select {
			case <-time.After(15 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		why := errors.New("enough")
		start := time.Now()
		time.AfterFunc(10*time.Second, func() { cancel(why) })
		p, err := rxcql.New(sequence(partitions(2, 1)...), sink.TableOn[event](server, events()))
		require.NoError(t, err)
		rep, err := p.Run(ctx)
		require.ErrorIs(t, err, why)
		require.Equal(t, 15*time.Second, time.Since(start))
		require.Equal(t, 1, calls[1])
		require.Less(t, calls[0], 12)
		require.EqualValues(t, 1, rep.Written)
		require.EqualValues(t, 1, rep.Unknown, "the one that was overloaded")
	})
}

func TestARepeatThatWaitsForRoomIsNotSentAfterACancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		calls := map[byte]int{} // by partition
		server := func(_ context.Context, s sink.Sent) error {
			p := s.Rows[0].Values[0].([]byte)[7]
			mu.Lock()
			calls[p]++
			mu.Unlock()
			if p == 0 {
				return overloaded // from here on there is room for one, which the other has
			}
			time.Sleep(12 * time.Second)
			return nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		p, err := rxcql.New(sequence(partitions(2, 1)...), sink.TableOn[event](server, events(), sink.InFlight(2)))
		require.NoError(t, err)
		rep, err := p.Run(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, map[byte]int{0: 1, 1: 1}, calls)
		require.EqualValues(t, 1, rep.Written)
		require.EqualValues(t, 1, rep.Unknown)
	})
}

func TestAWriteThatTheGracePeriodCutOffIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := func(ctx context.Context, _ sink.Sent) error {
			<-ctx.Done()
			return ctx.Err()
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		p, err := rxcql.New(sequence(partitions(1, 7)...), sink.TableOn[event](server, events()))
		require.NoError(t, err)
		rep, err := p.Run(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, rxcql.ErrUnknownOutcome)
		require.EqualValues(t, 7, rep.Unknown)
	})
}

func TestStopGoesOnRetryingWhatWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		healthy := time.Now().Add(30 * time.Second)
		server := func(context.Context, sink.Sent) error {
			if time.Now().Before(healthy) {
				return overloaded
			}
			return nil
		}
		p, err := rxcql.New(sequence(partitions(10, 10)...), sink.TableOn[event](server, events()))
		require.NoError(t, err)
		time.AfterFunc(time.Second, p.Stop)
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.EqualValues(t, 100, rep.Written)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	})
}
