//go:build !race

// The scripted server of go-cassandra-native-protocol races with itself.

package source_test

import (
	"context"
	"fmt"
	"net"
	"strings"
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
	switch m := request.Body.Message.(type) {
	case *message.Prepare:
		if strings.TrimSpace(m.Query) == s.statement {
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

// counting is a sink that writes slowly and stops the pipeline with its second
// page.
type counting struct {
	pipeline *rxcql.Pipeline
	stage    *rxcql.Stage
	pages    int
}

func (*counting) Check(context.Context) error { return nil }

func (c *counting) Open(_ context.Context, r *rxcql.Run) (rxcql.Writer[int32], error) {
	c.stage = r.SinkStage("Counting")
	return c, nil
}

func (c *counting) Write(_ context.Context, p *rxcql.Page[int32]) error {
	if c.pages++; c.pages == 2 {
		time.Sleep(50 * time.Millisecond) // by now the next page has been read
		c.pipeline.Stop()
		time.Sleep(50 * time.Millisecond)
	}
	c.stage.Written(len(p.Rows))
	return nil
}

func (*counting) Flush(context.Context) error { return nil }

func (*counting) Close() error { return nil }

func TestStopDeliversThePagesThatHaveBeenReadAhead(t *testing.T) {
	s := &script{statement: scripted}
	for i := range int32(100) {
		s.pages = append(s.pages, []int32{i, i, i})
	}
	session := s.start(t)
	to := &counting{}
	var err error
	to.pipeline, err = rxcql.New(source.Query[int32](session, scripted), rxcql.Sink[int32](to))
	require.NoError(t, err)
	rep, err := to.pipeline.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, "Stop", rep.EndedBy)
	require.Less(t, rep.Pages, int64(10))
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Equal(t, rep.ReadRows, rep.Written)
	require.Zero(t, rep.BytesInFlight)
}
