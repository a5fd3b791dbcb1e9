package source_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/cqltest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestAPageThatFailsIsAskedForAgainAndNoRowComesTwice(t *testing.T) {
	answers := []message.Message{
		&message.Overloaded{ErrorMessage: "busy"}, &message.Unavailable{ErrorMessage: "too few"},
		&message.ReadTimeout{ErrorMessage: "slow"}, &message.IsBootstrapping{ErrorMessage: "starting"},
		&message.ReadFailure{ErrorMessage: "broken", NumFailures: 1}, &message.ServerError{ErrorMessage: "odd"},
		&message.Unprepared{ErrorMessage: "forgotten", Id: []byte("the one")},
	}
	s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{1, 2}, {}, {3}, {4}, {}, {5, 6}, {7}}}
	failed := map[int]int{}
	s.Fail = func(page int) message.Message {
		if failed[page]++; failed[page] > 2 {
			return nil
		}
		return answers[(page+failed[page])%len(answers)]
	}
	session := s.Start(t)
	var rows []int32
	report, err := source.Query[int32](session, scripted).ForEach(t.Context(), func(v int32) error {
		rows = append(rows, v)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []int32{1, 2, 3, 4, 5, 6, 7}, rows)
	require.EqualValues(t, 7, report.Pages)
	require.EqualValues(t, 7, report.PagesSettled)
	require.EqualValues(t, 3*7, s.Asked.Load())
	require.Positive(t, report.Retried)
	require.True(t, report.Complete)
}

func TestWhatDoesNotPassIsNotAskedForAgain(t *testing.T) {
	for _, answer := range []message.Message{
		&message.Invalid{ErrorMessage: "no"}, &message.Unauthorized{ErrorMessage: "no"}, &message.SyntaxError{ErrorMessage: "no"},
		&message.ReadFailure{ErrorMessage: "READ_TOO_MANY_TOMBSTONES", NumFailures: 1},
	} {
		s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{1}}, Fail: func(int) message.Message { return answer }}
		report, err := source.Query[int32](s.Start(t), scripted).ForEach(t.Context(), func(int32) error { return nil })
		require.Error(t, err)
		require.EqualValues(t, 1, s.Asked.Load(), "%v", answer)
		require.Zero(t, report.Retried)
	}
}

func TestAPageThatKeepsFailingIsAnErrorThatSaysHowOftenItWasAskedFor(t *testing.T) {
	s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{1}}, Fail: func(int) message.Message {
		return &message.ReadTimeout{ErrorMessage: "slow", Consistency: primitive.ConsistencyLevelOne}
	}}
	session := s.Start(t)
	_, err := source.Query[int32](session, scripted).Collect(t.Context(), rxcql.WithRetry(time.Minute, 3))
	require.ErrorContains(t, err, "given up after 3 attempts")
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.EqualValues(t, 3, s.Asked.Load())
}

func TestStopAndCancelEndTheWaitForAPageAtOnce(t *testing.T) {
	broken := errors.New("enough")
	for name, end := range map[string]func(*rxcql.Pipeline, context.CancelCauseFunc){
		"stop":   func(p *rxcql.Pipeline, _ context.CancelCauseFunc) { p.Stop() },
		"cancel": func(_ *rxcql.Pipeline, cancel context.CancelCauseFunc) { cancel(broken) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := cqlfake.New(t)
				server.Keyspace("ks", "t (v int PRIMARY KEY)")
				server.Exec("INSERT INTO ks.t (v) VALUES (1)")
				server.Exec("INSERT INTO ks.t (v) VALUES (2)")
				var asked atomic.Int64
				server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
					if !r.Reads("ks.t") || r.PageState == nil {
						return nil
					}
					asked.Add(1)
					return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
				})
				var rows atomic.Int64
				p, err := rxcql.New(source.Query[int32](server.Session("ks"), "SELECT v FROM t", source.PageRows(1)),
					sink.Each(func(context.Context, int32) error {
						rows.Add(1)
						return nil
					}))
				require.NoError(t, err)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				var before int64
				const after = 10 * time.Second
				begun := time.Now()
				timer := time.AfterFunc(after, func() {
					before = asked.Load()
					end(p, cancel)
				})
				defer timer.Stop()
				report, err := p.Run(ctx)
				require.Equal(t, after, time.Since(begun), "it does not wait any more")
				require.Greater(t, before, int64(5), "it has asked again")
				require.Equal(t, before, asked.Load(), "it does not ask again")
				require.EqualValues(t, 1, rows.Load())
				require.EqualValues(t, 1, report.PagesSettled)
				if name == "stop" {
					require.NoError(t, err)
					require.Equal(t, rxcql.EndedByStop, report.EndedBy)
					return
				}
				require.Equal(t, broken, err, "the cause, and nothing around it")
			})
		})
	}
}

func TestACheckAsksAgain(t *testing.T) {
	s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{1}}}
	var prepares atomic.Int64
	s.Prepare = func() message.Message {
		if prepares.Add(1) < 3 {
			return &message.Overloaded{ErrorMessage: "busy"}
		}
		return nil
	}
	session := s.Start(t)
	require.NoError(t, source.Query[int32](session, scripted).Check(t.Context()))
	require.EqualValues(t, 3, prepares.Load())

	prepares.Store(0)
	_, err := source.Query[int32](s.Start(t), scripted).Collect(t.Context(), rxcql.WithRetry(0, 0))
	require.Error(t, err)
	require.NotErrorIs(t, err, rxcql.ErrSchema)
	require.EqualValues(t, 1, prepares.Load())
}
