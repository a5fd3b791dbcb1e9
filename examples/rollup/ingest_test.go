package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// taking is an ingest on a server in the process of the test, in its bubble of time.
type taking struct {
	*ingest
	server *cqlfake.Server
}

// withTables is a server with some of the tables.
func withTables(t *testing.T, names ...string) *cqlfake.Server {
	t.Helper()
	server := cqlfake.New(t)
	var all []string
	for _, name := range names {
		columns, _, _ := strings.Cut(tables[name], " WITH ")
		all = append(all, name+" "+columns)
	}
	server.Keyspace("rollup", all...)
	return server
}

// taken calls fn with an ingest whose pipeline runs, and stops it afterwards.
func taken(t *testing.T, cfg config, fn func(in taking)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := withTables(t, "readings", "devices")
		in := newIngest(server.Session("rollup"), "rollup", cfg, newMetrics())
		p, err := in.pipeline(nil)
		require.NoError(t, err)
		ended := make(chan error)
		go func() {
			_, err := p.Run(t.Context())
			ended <- err
		}()
		fn(taking{in, server})
		p.Stop()
		require.NoError(t, <-ended)
	})
}

// lines are n readings of now.
func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"device\":\"d%d\",\"at\":%q,\"value\":%d}\n", i, time.Now().Format(time.RFC3339), i)
	}
	return b.String()
}

// post posts a body.
func (in taking) post(body string) (status int, got answer, retryAfter string) {
	req := httptest.NewRequest(http.MethodPost, "/readings", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-ndjson")
	w := httptest.NewRecorder()
	in.ServeHTTP(w, req)
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		panic(err)
	}
	return w.Code, got, w.Header().Get("Retry-After")
}

// again is another instance.
func (in taking) again(t *testing.T) *ingest {
	t.Helper()
	another := newIngest(in.session, in.keyspace, in.cfg, newMetrics())
	require.NoError(t, another.devices.load(context.Background(), in.session, in.keyspace))
	return another
}

// rows are those of the table.
func (in taking) rows(t *testing.T) []Reading {
	t.Helper()
	rows, err := source.Table[Reading](in.session, in.keyspace+".readings").Collect(context.Background())
	require.NoError(t, err)
	return rows
}

func writes(r *cqlfake.Request) bool { return r.Writes("rollup.readings") }

func TestAPostIsAnsweredWhenItsReadingsAreWrittenAndNotBefore(t *testing.T) {
	taken(t, configured(t), func(in taking) {
		ready := make(chan struct{})
		in.server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if writes(r) {
				return cqlfake.Tables().When(ready)
			}
			return nil
		})
		answered := make(chan int)
		go func() {
			status, _, _ := in.post(lines(250))
			answered <- status
		}()
		synctest.Wait()
		select {
		case <-answered:
			require.Fail(t, "answered before it is written")
		default:
		}
		close(ready)
		require.Equal(t, http.StatusOK, <-answered)
		rows := in.rows(t)
		require.Len(t, rows, 250)
		require.Equal(t, rows[0].Arrived.Truncate(bucket), rows[0].Bucket)
	})
}

func TestAnAcknowledgementThatComesTooLateForTheTailIsNone(t *testing.T) {
	cfg := configured(t)
	taken(t, cfg, func(in taking) {
		in.server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if writes(r) {
				return cqlfake.Tables().After(cfg.writeDeadline + time.Millisecond)
			}
			return nil
		})
		status, got, retryAfter := in.post(lines(1))
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Contains(t, got.Error, "send it again")
		require.Equal(t, "1", retryAfter)
		require.Zero(t, got.Written)
		time.Sleep(time.Minute)
		require.Len(t, in.rows(t), 1, "it is written for all that")
	})
}

func TestAWriteThatFailsAndPassesIsAcknowledged(t *testing.T) {
	taken(t, configured(t), func(in taking) {
		in.server.ControlOnce(func(r *cqlfake.Request) *cqlfake.Reply {
			if writes(r) {
				return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
			}
			return nil
		})
		status, got, _ := in.post(lines(3))
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, 3, got.Written)
	})
}

// What is told to be sent again must not be written long after, when its client has been answered.
func TestAPostThatHasWaitedTooLongIsNotWritten(t *testing.T) {
	cfg := configured(t)
	taken(t, cfg, func(in taking) {
		old := in.newPost([]Reading{{Device: "old", At: time.Now()}})
		old.begun = time.Now().Add(-cfg.writeDeadline - time.Millisecond)
		in.posts <- old
		<-old.written
		require.Empty(t, in.rows(t))
		for range 100 { // the deadline has passed too
			require.False(t, in.acknowledged(old))
		}
	})
}

func TestWhenWritesFallBehindAPostIsToldToComeAgainAndNothingOfItIsWritten(t *testing.T) {
	cfg := configured(t, "--write-deadline", "1h")
	cfg.limits.posts, cfg.limits.waiting = 3000, 4
	cfg.limits.remembered = 1 << 40 // else that many are refused for other reasons
	taken(t, cfg, func(in taking) {
		ready := make(chan struct{})
		in.server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if writes(r) {
				return cqlfake.Tables().When(ready)
			}
			return nil
		})
		type told struct {
			status     int
			retryAfter string
		}
		answers := make(chan told, 3000)
		sent, refused := 0, told{}
		for refused == (told{}) {
			require.Less(t, sent, 3000, "no post was refused")
			// Each its own second: the rows of two posts are different ones.
			go func() {
				status, _, retryAfter := in.post(lines(500))
				answers <- told{status, retryAfter}
			}()
			sent++
			time.Sleep(time.Second)
			select {
			case refused = <-answers:
			default:
			}
		}
		require.Equal(t, told{http.StatusTooManyRequests, "1"}, refused)
		close(ready)
		for range sent - 1 {
			require.Equal(t, told{http.StatusOK, ""}, <-answers)
		}
		require.Len(t, in.rows(t), 500*(sent-1), "what was acknowledged, and no more")
	})
}

func TestMorePostsAtOnceThanTheLimitAreToldToComeAgain(t *testing.T) {
	cfg := configured(t)
	cfg.limits.posts = 1
	taken(t, cfg, func(in taking) {
		in.slots <- struct{}{}
		status, _, retryAfter := in.post(lines(1))
		require.Equal(t, http.StatusTooManyRequests, status)
		require.Equal(t, "1", retryAfter)
		<-in.slots
		status, _, _ = in.post(lines(1))
		require.Equal(t, http.StatusOK, status)
	})
}

// It may be meant for something, such as the consistency.
func TestAPostWithParametersIsRefused(t *testing.T) {
	taken(t, configured(t), func(in taking) {
		req := httptest.NewRequest(http.MethodPost, "/readings?consistency=ONE", strings.NewReader(lines(1)))
		req.Header.Set("Content-Type", "application/x-ndjson")
		w := httptest.NewRecorder()
		in.ServeHTTP(w, req)
		require.Equal(t, http.StatusBadRequest, w.Code)
		require.Contains(t, w.Body.String(), `\"consistency\" is no parameter here: there are none`)
		require.Empty(t, in.rows(t))
	})
}

func TestOneWrongLineAndNothingOfThePostIsWritten(t *testing.T) {
	taken(t, configured(t), func(in taking) {
		status, got, _ := in.post(lines(3) + "{}\n" + lines(2))
		require.Equal(t, http.StatusBadRequest, status)
		require.Len(t, got.Lines, 1)
		require.Equal(t, 4, got.Lines[0].Line)
		require.Empty(t, in.rows(t))
	})
}

// The tail has passed the time to which the clock is set back.
func TestTheTimeOfArrivalNeverGoesBack(t *testing.T) {
	taken(t, configured(t), func(in taking) {
		ahead := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
		in.latest = ahead // and then the clock was set back by an hour
		status, _, _ := in.post(lines(2))
		require.Equal(t, http.StatusOK, status)
		for _, row := range in.rows(t) {
			require.True(t, ahead.Equal(row.Arrived))
			require.True(t, ahead.Truncate(bucket).Equal(row.Bucket))
		}
		time.Sleep(2 * time.Hour)
		status, _, _ = in.post(lines(1))
		require.Equal(t, http.StatusOK, status)
		require.Len(t, in.rows(t), 3)
		require.True(t, in.latest.After(ahead))
	})
}

// A run that fails has told nobody that something is written.
func TestPostsOfARunThatFailsAreNotAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := withTables(t, "readings", "devices")
		in := newIngest(server.Session("rollup"), "rollup", configured(t), newMetrics())
		server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if writes(r) {
				return cqlfake.Fail(&message.Invalid{ErrorMessage: "no"})
			}
			return nil
		})
		p, err := in.pipeline(nil)
		require.NoError(t, err)
		ended := make(chan error, 1)
		go func() {
			_, err := p.Run(t.Context())
			ended <- err
		}()
		status, _, _ := taking{in, server}.post(lines(1))
		require.Equal(t, http.StatusServiceUnavailable, status)
		var refused *rxcql.RowError
		require.ErrorAs(t, <-ended, &refused)
	})
}
