package cqlfake

import (
	"bufio"
	"context"
	"errors"
	"net"
	"sync"

	"github.com/datastax/go-cassandra-native-protocol/frame"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
)

// dialer connects without a network.
type dialer struct{ server *Server }

// DialHost says not to wait for more to write: that would be a timer for each request.
func (d dialer) DialHost(context.Context, *gocql.HostInfo) (*gocql.DialedHost, error) {
	client, server := net.Pipe()
	if !d.server.serve(server) {
		client.Close()
		return nil, errors.New("cqlfake: the server is closed")
	}
	return &gocql.DialedHost{Conn: pipe{client, d.server}, DisableCoalesce: true}, nil
}

// pipe is the client's end of a connection without a network. The driver wants it to
// lead to an address of TCP.
type pipe struct {
	net.Conn
	server *Server
}

func (p pipe) RemoteAddr() net.Addr { return &net.TCPAddr{IP: p.server.ip, Port: p.server.port} }

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.serve(c)
	}
}

// conn is a connection. Requests are read one after the other; answers come in that
// order, except those that a control function delays.
type conn struct {
	server   *Server
	net      net.Conn
	answers  chan *frame.Frame
	ended    chan struct{}
	ending   sync.Once
	keyspace string // guarded by the server's mu
}

// serve begins to serve a connection and reports whether the server is still there.
func (s *Server) serve(n net.Conn) bool {
	c := &conn{server: s, net: n, answers: make(chan *frame.Frame), ended: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		n.Close()
		return false
	}
	s.conns[c] = true
	s.tasks.Go(c.read)
	s.tasks.Go(c.write)
	return true
}

func (c *conn) close() {
	c.ending.Do(func() {
		close(c.ended)
		c.net.Close()
	})
}

func (c *conn) write() {
	defer c.close()
	codec := frame.NewCodec()
	out := bufio.NewWriterSize(c.net, 64<<10)
	for {
		select {
		case answer := <-c.answers:
			if codec.EncodeFrame(answer, out) != nil || out.Flush() != nil {
				return
			}
		case <-c.ended:
			return
		}
	}
}

func (c *conn) read() {
	defer func() {
		c.close()
		c.server.mu.Lock()
		defer c.server.mu.Unlock()
		delete(c.server.conns, c)
	}()
	codec := frame.NewCodec()
	in := bufio.NewReader(c.net)
	for {
		request, err := codec.DecodeFrame(in)
		if err != nil {
			return
		}
		answer := func(m message.Message) {
			select {
			case c.answers <- frame.NewFrame(primitive.ProtocolVersion4, request.Header.StreamId, m):
			case <-c.ended:
			}
		}
		if request.Header.Version != primitive.ProtocolVersion4 {
			answer(&message.ProtocolError{ErrorMessage: "Invalid or unsupported protocol version; cqlfake knows version 4 alone"})
			continue
		}
		c.take(request.Body.Message, answer)
	}
}

// take answers a request, now or later.
func (c *conn) take(m message.Message, answer func(message.Message)) {
	switch m := m.(type) {
	case *message.Options:
		answer(&message.Supported{Options: map[string][]string{"CQL_VERSION": {"3.4.7"}, "COMPRESSION": {}}})
	case *message.Startup, *message.Register:
		answer(&message.Ready{})
	case *message.Prepare, *message.Query, *message.Execute, *message.Batch:
		c.server.control(c, m, answer)
	default:
		answer(unknown("requests of the kind %s", m.GetOpCode()))
	}
}
