package driver_test

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/frame"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// script is a server that says what a test wants it to. A prepared statement's
// id is its text. Requests of one connection are answered one after another.
type script struct {
	params  []*message.ColumnMetadata
	keys    []uint16
	results []*message.ColumnMetadata
	prepare func(*message.Prepare) message.Message // nil: params and results
	execute func(*message.Execute) message.Message
	version func() byte   // of the schema; nil: always the same
	peers   func() []byte // versions of the schema that other nodes have; nil: there are none
	batch   func(*message.Batch) message.Message
	query   func(*message.Query) message.Message // gocql's own reads of system tables
	// raw answers an execute with the bytes of a frame.
	raw func(*frame.Frame) []byte
}

func (s *script) answer(m message.Message) message.Message {
	switch m := m.(type) {
	case *message.Options:
		return &message.Supported{}
	case *message.Startup, *message.Register:
		return &message.Ready{}
	case *message.Query:
		if s.query != nil {
			return s.query(m)
		}
		if strings.Contains(m.Query, "system.local") {
			return rows(localColumns, nil, localRow)
		}
		return rows(localColumns, nil)
	case *message.Prepare:
		if answer := s.nodes(m.Query, true); answer != nil {
			return answer
		}
		if s.prepare != nil {
			return s.prepare(m)
		}
		return &message.PreparedResult{
			PreparedQueryId:   []byte(m.Query),
			VariablesMetadata: &message.VariablesMetadata{Columns: s.params, PkIndices: s.keys},
			ResultMetadata:    &message.RowsMetadata{ColumnCount: int32(len(s.results)), Columns: s.results},
		}
	case *message.Execute:
		if answer := s.nodes(string(m.QueryId), false); answer != nil {
			return answer
		}
		return s.execute(m)
	case *message.Batch:
		return s.batch(m)
	}
	return &message.ProtocolError{ErrorMessage: "not in the script"}
}

// nodes answers what is asked of the schema's version; nil to anything else.
func (s *script) nodes(cql string, prepare bool) message.Message {
	columns := []*message.ColumnMetadata{column("host_id", datatype.Uuid), column("schema_version", datatype.Uuid)}
	var data []message.Row
	switch cql {
	case "SELECT host_id, schema_version FROM system.local":
		version := byte('0')
		if s.version != nil {
			version = s.version()
		}
		data = append(data, message.Row{localRow[4], bytes.Repeat([]byte{version}, 16)})
	case "SELECT host_id, schema_version FROM system.peers_v2":
		if s.peers != nil {
			for i, version := range s.peers() {
				data = append(data, message.Row{bytes.Repeat([]byte{byte(i)}, 16), bytes.Repeat([]byte{version}, 16)})
			}
		}
	default:
		return nil
	}
	if prepare {
		return &message.PreparedResult{
			PreparedQueryId: []byte(cql), VariablesMetadata: &message.VariablesMetadata{},
			ResultMetadata: &message.RowsMetadata{ColumnCount: int32(len(columns)), Columns: columns},
		}
	}
	return rows(columns, nil, data...)
}

// talk serves one connection until it breaks.
func (s *script) talk(conn net.Conn) {
	defer conn.Close()
	codec := frame.NewCodec()
	for {
		in, err := codec.DecodeFrame(conn)
		if err != nil {
			return
		}
		if _, ok := in.Body.Message.(*message.Execute); ok && s.raw != nil {
			_, err = conn.Write(s.raw(in))
		} else {
			err = codec.EncodeFrame(frame.NewFrame(in.Header.Version, in.Header.StreamId, s.answer(in.Body.Message)), conn)
		}
		if err != nil {
			return
		}
	}
}

// listen starts the server and stops it when the test ends.
func (s *script) listen(t testing.TB) (port int) {
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
	return listener.Addr().(*net.TCPAddr).Port
}

var localColumns = []*message.ColumnMetadata{
	column("key", datatype.Varchar), column("cluster_name", datatype.Varchar), column("data_center", datatype.Varchar),
	column("rack", datatype.Varchar), column("host_id", datatype.Uuid), column("rpc_address", datatype.Inet),
	column("partitioner", datatype.Varchar), column("release_version", datatype.Varchar),
	column("schema_version", datatype.Uuid), column("tokens", datatype.NewSet(datatype.Varchar)),
}

var localRow = message.Row{
	[]byte("local"), []byte("scripted"), []byte("dc1"), []byte("rack1"), []byte("0123456789abcdef"), []byte{127, 0, 0, 1},
	[]byte("org.apache.cassandra.dht.Murmur3Partitioner"), []byte("4.0.0"), []byte("0123456789abcdef"),
	append([]byte{0, 0, 0, 1, 0, 0, 0, 1}, '0'),
}

// serve starts the server and a session with it.
func serve(t testing.TB, s *script, configure ...func(*gocql.ClusterConfig)) *driver.Session {
	t.Helper()
	wrapped, err := driver.Wrap(dial(t, s, configure...))
	require.NoError(t, err)
	return wrapped
}

func dial(t testing.TB, s *script, configure ...func(*gocql.ClusterConfig)) *gocql.Session {
	t.Helper()
	config := gocql.NewCluster("127.0.0.1")
	config.Port = s.listen(t)
	return connect(t, config, configure...).Unwrap()
}

func connect(t testing.TB, config *gocql.ClusterConfig, configure ...func(*gocql.ClusterConfig)) *driver.Session {
	t.Helper()
	require.NoError(t, driver.Configure(config, ""))
	config.Timeout = 5 * time.Second
	config.NumConns = 1
	config.Logger = silent{}
	for _, c := range configure {
		c(config)
	}
	session, err := config.CreateSession()
	require.NoError(t, err)
	t.Cleanup(session.Close)
	wrapped, err := driver.Wrap(session)
	require.NoError(t, err)
	return wrapped
}

type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// shared is a value that a test and its server both use.
type shared[T any] struct {
	mu    sync.Mutex
	value T
}

func (s *shared[T]) set(v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value = v
}

func (s *shared[T]) get() T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value
}

// rows is an answer; a nil state means that it is the last.
func rows(columns []*message.ColumnMetadata, state []byte, data ...message.Row) *message.RowsResult {
	return &message.RowsResult{
		Metadata: &message.RowsMetadata{ColumnCount: int32(len(columns)), Columns: columns, PagingState: state},
		Data:     data,
	}
}

func encode(t testing.TB, in *frame.Frame, answer message.Message) []byte {
	t.Helper()
	raw, err := frame.NewRawCodec().ConvertToRawFrame(frame.NewFrame(in.Header.Version, in.Header.StreamId, answer))
	require.NoError(t, err)
	return append(header(in, primitive.OpCodeResult, len(raw.Body)), raw.Body...)
}

func header(in *frame.Frame, op primitive.OpCode, length int) []byte {
	return []byte{
		0x80 | byte(in.Header.Version), 0, byte(in.Header.StreamId >> 8), byte(in.Header.StreamId), byte(op),
		byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length),
	}
}
