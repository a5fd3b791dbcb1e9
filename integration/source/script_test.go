package source_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/client"
	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/frame"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

// script is a CQL server that answers one SELECT of one int column with the
// pages it is given: what a real server can do, but cannot be made to do.
type script struct {
	statement string
	pages     [][]int32
	asked     atomic.Int64
	fail      func(page int) message.Message // nil: answer
	prepare   func() message.Message         // likewise

	mu       sync.Mutex
	requests []string // all that came, but for those that keep a connection
}

// took gives the requests since it was last called.
func (s *script) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.requests
	s.requests = nil
	return all
}

// note remembers a request. Heartbeats come whenever the driver likes.
func (s *script) note(m message.Message) {
	if _, heartbeat := m.(*message.Options); heartbeat {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, fmt.Sprint(m))
}

// start runs the script and returns a session on it.
func (s *script) start(t *testing.T) *gocql.Session {
	zerolog.SetGlobalLevel(zerolog.Disabled)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())

	server := client.NewCqlServer(address, nil)
	server.RequestHandlers = []client.RequestHandler{
		s.answer,
		client.NewDriverConnectionInitializationHandler("scripted", "dc1", func(string) {}),
	}
	ctx, cancel := context.WithCancel(context.Background())
	require.NoError(t, server.Start(ctx))
	t.Cleanup(func() {
		cancel()
		_ = server.Close()
	})
	config := gocql.NewCluster(address)
	config.ProtoVersion = 4
	config.NumConns = 1
	config.DisableInitialHostLookup = true
	config.Timeout = 5 * time.Second
	config.Logger = silent{}
	session, err := config.CreateSession()
	require.NoError(t, err)
	t.Cleanup(session.Close)
	return session
}

type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

var column = []*message.ColumnMetadata{{Keyspace: "ks", Table: "t", Name: "v", Type: datatype.Int}}

func (s *script) answer(request *frame.Frame, _ *client.CqlServerConnection, _ client.RequestHandlerContext) *frame.Frame {
	reply := func(m message.Message) *frame.Frame {
		return frame.NewFrame(request.Header.Version, request.Header.StreamId, m)
	}
	s.note(request.Body.Message)
	switch m := request.Body.Message.(type) {
	case *message.Prepare:
		if strings.TrimSpace(m.Query) == s.statement {
			if s.prepare != nil {
				if failure := s.prepare(); failure != nil {
					return reply(failure)
				}
			}
			return reply(&message.PreparedResult{
				PreparedQueryId:   []byte("the one"),
				VariablesMetadata: &message.VariablesMetadata{},
				ResultMetadata:    &message.RowsMetadata{ColumnCount: 1, Columns: column},
			})
		}
		return reply(&message.Invalid{ErrorMessage: "not in the script"})
	case *message.Execute:
		page := 0
		if m.Options != nil && len(m.Options.PagingState) > 0 {
			_, _ = fmt.Sscanf(string(m.Options.PagingState), "page %d", &page)
		}
		s.asked.Add(1)
		if s.fail != nil {
			if failure := s.fail(page); failure != nil {
				return reply(failure)
			}
		}
		metadata := &message.RowsMetadata{ColumnCount: 1, Columns: column}
		if page+1 < len(s.pages) {
			metadata.PagingState = fmt.Appendf(nil, "page %d", page+1)
		}
		rows := &message.RowsResult{Metadata: metadata}
		for _, v := range s.pages[page] {
			rows.Data = append(rows.Data, message.Row{{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}})
		}
		return reply(rows)
	}
	return nil
}

const scripted = "SELECT v FROM ks.t"

func TestAnEmptyPageInTheMiddleIsNotTheEnd(t *testing.T) {
	s := &script{statement: scripted, pages: [][]int32{{1, 2}, {}, {}, {3}, {}, {4, 5}, {}}}
	session := s.start(t)

	var rows []int32
	report, err := source.Query[int32](session, scripted).ForEach(t.Context(), func(v int32) error {
		rows = append(rows, v)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []int32{1, 2, 3, 4, 5}, rows)
	require.EqualValues(t, 7, report.Pages)
	require.EqualValues(t, 4, report.EmptyPages)
	require.EqualValues(t, 7, report.PagesSettled)
	require.EqualValues(t, 7, s.asked.Load())
	require.True(t, report.Complete)
}

func TestAPageThatFailsIsAnErrorWithItsPlaceAndNeverTheEnd(t *testing.T) {
	s := &script{statement: scripted, pages: [][]int32{{1}, {2}, {3}}}
	s.fail = func(page int) message.Message {
		if page == 2 {
			return &message.Overloaded{ErrorMessage: "busy"}
		}
		return nil
	}
	session := s.start(t)

	var rows []int32
	report, err := source.Query[int32](session, scripted).ForEach(t.Context(), func(v int32) error {
		rows = append(rows, v)
		return nil
	}, rxcql.WithRetry(0, 0))
	require.Equal(t, []int32{1, 2}, rows)
	var stage *rxcql.StageError
	require.ErrorAs(t, err, &stage)
	require.Equal(t, "Query", stage.Stage)
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.EqualValues(t, 2, row.Page)
	require.False(t, report.Complete)
	require.EqualValues(t, 2, report.Pages)
}

func TestAPageStateOfLengthZeroEndsTheReading(t *testing.T) {
	s := &script{statement: scripted, pages: [][]int32{{7}}}
	session := s.start(t)
	rows, err := source.Query[int32](session, scripted).Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int32{7}, rows)
	require.EqualValues(t, 1, s.asked.Load())
}
