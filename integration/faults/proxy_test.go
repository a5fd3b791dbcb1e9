package faults_test

import (
	"encoding/binary"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/frame"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/stretchr/testify/require"
)

// request is what a proxy knows of a request on the test's tables.
type request struct {
	op  primitive.OpCode
	cql string // of an execute or a prepare; empty for a batch
	raw *frame.RawFrame
}

func (r request) read() bool { return strings.HasPrefix(r.cql, "SELECT") }

// counts tells updates of counters.
func (r request) counts() bool {
	return strings.HasPrefix(r.cql, "UPDATE") && strings.Contains(r.cql, "counters")
}

// many tells writes of several rows.
func (r request) many() bool {
	return r.op == primitive.OpCodeBatch || strings.HasPrefix(r.cql, "BEGIN")
}

// proxy stands between sessions and a node. What becomes of a request on the
// tables of one keyspace, and of checks, decide says; the driver's own requests
// pass.
type proxy struct {
	keyspace string
	node     string
	decide   func(request) fate
	listener net.Listener
	serving  sync.WaitGroup

	mu         sync.Mutex
	statements map[string]string // by prepared id
	links      map[*link]bool
	closed     bool
}

// stand starts a proxy, and ends it with the test.
func stand(t *testing.T, keyspace string, decide func(request) fate) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{
		keyspace: keyspace, node: cluster.Hosts()[0], decide: decide, listener: listener,
		statements: map[string]string{}, links: map[*link]bool{},
	}
	p.serving.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.serving.Go(func() { p.serve(client) })
	}
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.node)
	if err != nil {
		return
	}
	l := &link{proxy: p, client: client, server: server, out: map[int16]pending{}}
	p.mu.Lock()
	p.links[l] = true
	closed := p.closed
	p.mu.Unlock()
	if closed {
		client.Close()
	}
	l.run()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// close cuts what is open, and waits until the node has answered everything that
// was handed on to it: then nothing is applied any more.
func (p *proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for l := range p.links {
		l.client.Close()
	}
	p.mu.Unlock()
	p.serving.Wait()
}

// ours finds out whether a request is one to decide on.
func (p *proxy) ours(raw *frame.RawFrame) (request, bool) {
	r := request{op: raw.Header.OpCode, raw: raw}
	switch r.op {
	case primitive.OpCodeBatch: // only the sinks under test send any
		return r, true
	case primitive.OpCodePrepare:
		r.cql = string(raw.Body[4 : 4+binary.BigEndian.Uint32(raw.Body)])
	case primitive.OpCodeExecute:
		p.mu.Lock()
		r.cql = p.statements[string(raw.Body[2:2+binary.BigEndian.Uint16(raw.Body)])]
		p.mu.Unlock()
	default:
		return r, false
	}
	return r, strings.Contains(r.cql, p.keyspace) || strings.HasPrefix(r.cql, "SELECT id, flags, default_time_to_live")
}

// prepared remembers what an id stands for.
func (p *proxy) prepared(cql string, answer *frame.RawFrame) {
	decoded, err := frame.NewRawCodec().ConvertFromRawFrame(answer)
	if err != nil {
		return
	}
	if result, ok := decoded.Body.Message.(*message.PreparedResult); ok {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.statements[string(result.PreparedQueryId)] = cql
	}
}
