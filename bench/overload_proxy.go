package main

import (
	"bytes"
	"net"
	"sync"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/frame"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
)

// overloader stands before a server and for a while answers Overloaded to every
// statement that is executed.
type overloader struct {
	node     string
	listener net.Listener
	serving  sync.WaitGroup
	start    time.Time

	mu    sync.Mutex
	begun bool
	links []net.Conn
	done  []int // statements answered by the server, by slots
}

func newOverloader(node string) (*overloader, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &overloader{node: node, listener: listener, done: make([]int, 10*overloadUntil/overloadSlot)}
	p.serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.serving.Go(func() { p.serve(client) })
		}
	})
	return p, nil
}

// begin starts the clock.
func (p *overloader) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.start, p.begun = time.Now(), true
}

func (p *overloader) close() {
	p.listener.Close()
	p.mu.Lock()
	for _, c := range p.links {
		c.Close()
	}
	p.mu.Unlock()
	p.serving.Wait()
}

func (p *overloader) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.node)
	if err != nil {
		client.Close()
		return
	}
	p.mu.Lock()
	p.links = append(p.links, client, server)
	p.mu.Unlock()
	var writing sync.Mutex
	var answers sync.WaitGroup
	answers.Go(func() {
		codec := frame.NewRawCodec()
		for {
			raw, err := codec.DecodeRawFrame(server)
			if err != nil {
				client.Close()
				return
			}
			p.count(raw)
			var text bytes.Buffer
			if codec.EncodeRawFrame(raw, &text) != nil {
				return
			}
			writing.Lock()
			_, _ = client.Write(text.Bytes()) // the client may be gone
			writing.Unlock()
		}
	})
	p.requests(client, server, &writing)
	server.Close()
	answers.Wait()
}

// requests hands requests on, or answers in the server's place.
func (p *overloader) requests(client, server net.Conn, writing *sync.Mutex) {
	codec := frame.NewRawCodec()
	for {
		raw, err := codec.DecodeRawFrame(client)
		if err != nil {
			return
		}
		if raw.Header.OpCode == primitive.OpCodeExecute && p.overloaded() {
			var text bytes.Buffer
			answer := frame.NewFrame(primitive.ProtocolVersion4, raw.Header.StreamId, &message.Overloaded{ErrorMessage: "too much to do"})
			if codec.EncodeFrame(answer, &text) != nil {
				return
			}
			writing.Lock()
			_, _ = client.Write(text.Bytes())
			writing.Unlock()
			continue
		}
		if codec.EncodeRawFrame(raw, server) != nil {
			return
		}
	}
}

func (p *overloader) overloaded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := time.Since(p.start)
	return p.begun && at > overloadAfter && at < overloadAfter+overloadFor
}

// count notes an answer that is no error.
func (p *overloader) count(raw *frame.RawFrame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := int(time.Since(p.start) / overloadSlot); p.begun && raw.Header.OpCode == primitive.OpCodeResult && i < len(p.done) {
		p.done[i]++
	}
}
