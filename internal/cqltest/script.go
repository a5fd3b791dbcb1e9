// Package cqltest has a CQL server that answers as a test wants: what a real server may answer, but
// cannot be made to.
package cqltest

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/frame"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
)

// Script is a server of one node that knows one SELECT, of a column v of int in the table ks.t.
// What is bound are tokens. The page state of page n is the text "page n".
type Script struct {
	Statement string

	Pages [][]int32
	// Columns, if not nil, name those of the pages: each row has its number in all of them.
	Columns []string
	// Answer, if not nil, makes the pages instead: the page for a page state, and the state of the
	// next page, "" if there is none. size is how many rows were asked for, 0 for all.
	Answer func(size int, state string) (rows []int32, next string, failure message.Message)

	Fail    func(page int) message.Message // asked before each of Pages; nil: none fails
	Prepare func() message.Message         // likewise, before the statement is prepared

	Asked atomic.Int64 // pages, answered or not

	mu       sync.Mutex
	requests []string
	sizes    []int

	answering sync.Mutex // the functions are called one at a time
}

// Sizes returns the number of rows that each page was asked for.
func (s *Script) Sizes() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sizes)
}

// Took returns the requests since it was last called, except those that keep a connection open.
func (s *Script) Took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.requests
	s.requests = nil
	return all
}

// note remembers a request. Heartbeats come whenever the driver likes.
func (s *Script) note(m message.Message) {
	if _, heartbeat := m.(*message.Options); heartbeat {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, fmt.Sprint(m))
}

// TB is what the script needs of a test; *rapid.T does not clean up.
type TB interface {
	require.TestingT
	Helper()
	Cleanup(func())
}

// Start runs the script until the test ends and returns a session on it.
func (s *Script) Start(t TB) *gocql.Session {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { s.talk(conn) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		serving.Wait()
	})
	config := gocql.NewCluster(listener.Addr().String())
	config.ProtoVersion = 4
	config.NumConns = 1
	config.DisableInitialHostLookup = true
	config.Timeout = time.Minute
	config.Logger = silent{}
	session, err := config.CreateSession()
	require.NoError(t, err)
	t.Cleanup(func() {
		for range 10 { // a session that is closed before its heartbeat has begun leaves it
			time.Sleep(time.Millisecond)
		}
		session.Close()
	})
	return session
}

type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// talk serves one connection until the session closes it.
func (s *Script) talk(conn net.Conn) {
	defer conn.Close()
	codec := frame.NewCodec()
	for {
		request, err := codec.DecodeFrame(conn)
		if err != nil {
			return
		}
		answer := frame.NewFrame(request.Header.Version, request.Header.StreamId, s.answer(request.Body.Message))
		if codec.EncodeFrame(answer, conn) != nil {
			return
		}
	}
}

// comment is what a statement has behind its first word when it is described.
var comment = regexp.MustCompile(` /\*.*?\*/`)

// answer is called for several connections at once.
func (s *Script) answer(m message.Message) message.Message {
	s.note(m)
	switch m := m.(type) {
	case *message.Options:
		return &message.Supported{}
	case *message.Startup, *message.Register:
		return &message.Ready{}
	case *message.Query: // the driver's own
		return system(m.Query)
	case *message.Prepare:
		return s.prepare(m.Query)
	case *message.Execute:
		if string(m.QueryId) != s.Statement {
			return system(string(m.QueryId))
		}
		s.Asked.Add(1)
		size, state := 0, ""
		if m.Options != nil {
			size, state = int(m.Options.PageSize), string(m.Options.PagingState)
		}
		s.mu.Lock()
		s.sizes = append(s.sizes, size)
		s.mu.Unlock()
		return s.page(size, state)
	}
	return &message.ProtocolError{ErrorMessage: "not in the script"}
}

// prepare answers with the text as the id, without comments for the statement.
func (s *Script) prepare(cql string) message.Message {
	prepared := &message.PreparedResult{PreparedQueryId: []byte(cql), VariablesMetadata: &message.VariablesMetadata{}}
	switch plain := strings.TrimSpace(comment.ReplaceAllString(cql, "")); {
	case strings.Contains(cql, "FROM system"):
		prepared.ResultMetadata = system(cql).Metadata
		for range strings.Count(cql, "?") {
			prepared.VariablesMetadata.Columns = append(prepared.VariablesMetadata.Columns, named("name", datatype.Varchar))
		}
	case plain == s.Statement:
		if s.Prepare != nil {
			if failure := s.Prepare(); failure != nil {
				return failure
			}
		}
		prepared.PreparedQueryId = []byte(plain)
		for range strings.Count(plain, "?") {
			prepared.VariablesMetadata.Columns = append(prepared.VariablesMetadata.Columns, named("partition key token", datatype.Bigint))
		}
		prepared.ResultMetadata = &message.RowsMetadata{ColumnCount: 1, Columns: column}
	default:
		return &message.Invalid{ErrorMessage: "not in the script"}
	}
	return prepared
}

var column = []*message.ColumnMetadata{named("v", datatype.Int)}

func named(name string, typ datatype.DataType) *message.ColumnMetadata {
	return &message.ColumnMetadata{Keyspace: "ks", Table: "t", Name: name, Type: typ}
}

func (s *Script) page(size int, state string) message.Message {
	s.answering.Lock()
	defer s.answering.Unlock()
	answer := s.Answer
	if answer == nil {
		answer = s.inOrder
	}
	rows, next, failure := answer(size, state)
	if failure != nil {
		return failure
	}
	columns := column
	if s.Columns != nil {
		columns = nil
		for _, name := range s.Columns {
			columns = append(columns, named(name, datatype.Int))
		}
	}
	result := &message.RowsResult{Metadata: &message.RowsMetadata{ColumnCount: int32(len(columns)), Columns: columns, PagingState: []byte(next)}}
	if next == "" {
		result.Metadata.PagingState = nil
	}
	for _, v := range rows {
		row := slices.Repeat(message.Row{{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}}, len(columns))
		result.Data = append(result.Data, row)
	}
	return result
}

// inOrder answers with Pages, whatever size was asked for.
func (s *Script) inOrder(_ int, state string) (rows []int32, next string, failure message.Message) {
	page := 0
	if state != "" {
		_, _ = fmt.Sscanf(state, "page %d", &page)
	}
	if s.Fail != nil {
		if failure := s.Fail(page); failure != nil {
			return nil, "", failure
		}
	}
	if page+1 < len(s.Pages) {
		next = fmt.Sprintf("page %d", page+1)
	}
	return s.Pages[page], next, nil
}
