package source_test

import (
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/frame"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
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
	config.Timeout = 5 * time.Second
	config.Logger = silent{}
	session, err := config.CreateSession()
	require.NoError(t, err)
	t.Cleanup(session.Close)
	return session
}

// talk serves one connection until the session closes it.
func (s *script) talk(conn net.Conn) {
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

type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

var column = []*message.ColumnMetadata{{Keyspace: "ks", Table: "t", Name: "v", Type: datatype.Int}}

func localColumn(name string, typ datatype.DataType) *message.ColumnMetadata {
	return &message.ColumnMetadata{Keyspace: "system", Table: "local", Name: name, Type: typ}
}

// localColumns and localRow are what the driver reads of the node.
var localColumns = []*message.ColumnMetadata{
	localColumn("key", datatype.Varchar), localColumn("cluster_name", datatype.Varchar), localColumn("data_center", datatype.Varchar),
	localColumn("rack", datatype.Varchar), localColumn("host_id", datatype.Uuid), localColumn("rpc_address", datatype.Inet),
	localColumn("partitioner", datatype.Varchar), localColumn("release_version", datatype.Varchar),
	localColumn("schema_version", datatype.Uuid), localColumn("tokens", datatype.NewSet(datatype.Varchar)),
}

var localRow = message.Row{
	[]byte("local"), []byte("scripted"), []byte("dc1"), []byte("rack1"), []byte("0123456789abcdef"), []byte{127, 0, 0, 1},
	[]byte("org.apache.cassandra.dht.Murmur3Partitioner"), []byte("4.0.0"), []byte("0123456789abcdef"),
	{0, 0, 0, 1, 0, 0, 0, 1, '0'},
}

// comment is what a statement has behind its first word when it is described.
var comment = regexp.MustCompile(` /\*.*\*/`)

// versions is what nodes say of their schema.
func versions(data ...message.Row) *message.RowsResult {
	columns := []*message.ColumnMetadata{localColumn("host_id", datatype.Uuid), localColumn("schema_version", datatype.Uuid)}
	return &message.RowsResult{Metadata: &message.RowsMetadata{ColumnCount: 2, Columns: columns}, Data: data}
}

// answer is called for several connections at once.
func (s *script) answer(m message.Message) message.Message {
	s.note(m)
	switch m := m.(type) {
	case *message.Options:
		return &message.Supported{}
	case *message.Startup, *message.Register:
		return &message.Ready{}
	case *message.Query: // the driver's own
		local := &message.RowsResult{Metadata: &message.RowsMetadata{ColumnCount: int32(len(localColumns)), Columns: localColumns}}
		if strings.Contains(m.Query, "system.local") {
			local.Data = message.RowSet{localRow}
		}
		return local
	case *message.Prepare:
		if strings.Contains(m.Query, "schema_version FROM system.") {
			return &message.PreparedResult{
				PreparedQueryId: []byte(m.Query), VariablesMetadata: &message.VariablesMetadata{},
				ResultMetadata: versions().Metadata,
			}
		}
		if strings.TrimSpace(comment.ReplaceAllString(m.Query, "")) == s.statement {
			if s.prepare != nil {
				if failure := s.prepare(); failure != nil {
					return failure
				}
			}
			return &message.PreparedResult{
				PreparedQueryId:   []byte("the one"),
				VariablesMetadata: &message.VariablesMetadata{},
				ResultMetadata:    &message.RowsMetadata{ColumnCount: 1, Columns: column},
			}
		}
		return &message.Invalid{ErrorMessage: "not in the script"}
	case *message.Execute:
		switch string(m.QueryId) {
		case "SELECT host_id, schema_version FROM system.local":
			return versions(message.Row{localRow[4], localRow[8]})
		case "SELECT host_id, schema_version FROM system.peers_v2":
			return versions()
		}
		page := 0
		if m.Options != nil && len(m.Options.PagingState) > 0 {
			_, _ = fmt.Sscanf(string(m.Options.PagingState), "page %d", &page)
		}
		s.asked.Add(1)
		if s.fail != nil {
			if failure := s.fail(page); failure != nil {
				return failure
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
		return rows
	}
	return &message.ProtocolError{ErrorMessage: "not in the script"}
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
