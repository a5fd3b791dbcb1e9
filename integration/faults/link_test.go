package faults_test

import (
	"bytes"
	"net"
	"sync"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/frame"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
)

// fate is what becomes of a request. The zero fate passes it on.
type fate struct {
	stop   bool            // it does not reach the node
	answer message.Message // in place of the node's
	silent bool            // no answer
	cut    bool            // the connection is closed in place of an answer
	half   bool            // likewise, in the middle of the node's answer
	empty  []byte          // an empty page with this state in place of the node's
	delay  time.Duration   // before the answer
	done   func()          // called when it is answered
}

// pending is a request that the node has not answered.
type pending struct {
	request request
	fate    fate
}

// link is one connection of a session, and one to the node.
type link struct {
	proxy          *proxy
	client, server net.Conn
	waits          sync.WaitGroup

	writing sync.Mutex // of frames to the client

	mu  sync.Mutex
	out map[int16]pending
}

// run serves until the client is gone and the node has answered what it got.
func (l *link) run() {
	l.waits.Go(l.answers)
	l.requests()
	for start := time.Now(); l.outstanding() && time.Since(start) < time.Minute; {
		time.Sleep(time.Millisecond)
	}
	l.server.Close()
	l.waits.Wait()
}

func (l *link) outstanding() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.out) > 0
}

func (l *link) requests() {
	codec := frame.NewRawCodec()
	for {
		raw, err := codec.DecodeRawFrame(l.client)
		if err != nil {
			return
		}
		p := pending{}
		var ours bool
		if p.request, ours = l.proxy.ours(raw); ours {
			p.fate = l.proxy.decide(p.request)
		}
		if p.fate.stop {
			l.waits.Go(func() { l.reply(p, nil, raw.Header) })
			continue
		}
		l.mu.Lock()
		l.out[raw.Header.StreamId] = p
		l.mu.Unlock()
		if codec.EncodeRawFrame(raw, l.server) != nil {
			return
		}
	}
}

func (l *link) answers() {
	codec := frame.NewRawCodec()
	for {
		raw, err := codec.DecodeRawFrame(l.server)
		if err != nil {
			l.client.Close()
			return
		}
		l.mu.Lock()
		p, found := l.out[raw.Header.StreamId]
		delete(l.out, raw.Header.StreamId)
		l.mu.Unlock()
		if found && p.request.op == primitive.OpCodePrepare {
			l.proxy.prepared(p.request.cql, raw)
		}
		if p.fate.delay > 0 {
			l.waits.Go(func() { l.reply(p, raw, raw.Header) })
			continue
		}
		l.reply(p, raw, raw.Header)
	}
}

// reply gives a request its fate. The node's answer is nil if it was not asked.
func (l *link) reply(p pending, raw *frame.RawFrame, header *frame.Header) {
	time.Sleep(p.fate.delay)
	if p.fate.done != nil {
		p.fate.done()
	}
	codec := frame.NewRawCodec()
	var text bytes.Buffer
	var err error
	switch f := p.fate; {
	case f.silent:
		return
	case f.cut:
		l.client.Close()
		return
	case f.answer != nil:
		err = codec.EncodeFrame(frame.NewFrame(primitive.ProtocolVersion4, header.StreamId, f.answer), &text)
	case f.empty != nil && raw.Header.OpCode == primitive.OpCodeResult:
		err = emptied(raw, f.empty, &text)
	default:
		err = codec.EncodeRawFrame(raw, &text)
	}
	if err != nil {
		panic(err)
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	if p.fate.half {
		_, _ = l.client.Write(text.Bytes()[:text.Len()/2])
		l.client.Close()
		return
	}
	_, _ = l.client.Write(text.Bytes()) // the client may be gone
}

// emptied makes an empty page of a page, that goes on where the page began.
func emptied(raw *frame.RawFrame, state []byte, to *bytes.Buffer) error {
	codec := frame.NewRawCodec()
	page, err := codec.ConvertFromRawFrame(raw)
	if err != nil {
		return err
	}
	if rows, ok := page.Body.Message.(*message.RowsResult); ok {
		rows.Data, rows.Metadata.PagingState = nil, state
	}
	return codec.EncodeFrame(page, to)
}
