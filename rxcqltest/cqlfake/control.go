package cqlfake

import (
	"sync/atomic"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
)

// Reply is what a control function does with a request. Make one with Tables, Fail,
// Answer, EmptyPage, Silence or Drop.
type Reply struct {
	message message.Message // nil for that of the tables
	empty   bool
	silent  bool
	drop    bool
	applied bool
	delay   time.Duration
	until   <-chan struct{}
}

// Tables answers from the tables, as without a control function; with After or When, later.
func Tables() *Reply { return &Reply{} }

// Fail answers with an error of the server, such as
//
//	&message.Overloaded{ErrorMessage: "busy"}
//
// of github.com/datastax/go-cassandra-native-protocol/message. Nothing is read or written.
func Fail(err message.Error) *Reply { return &Reply{message: err} }

// Answer answers with any message. Nothing is read or written.
func Answer(m message.Message) *Reply { return &Reply{message: m} }

// EmptyPage answers a request for a page with one of no rows that is not the last:
// its page state begins where this request's does. Real servers do so behind many
// tombstones. What is not a SELECT with a page size gets an error.
func EmptyPage() *Reply { return &Reply{empty: true} }

// Silence never answers. Without a network, where no request has a timeout by itself
// (Server.Cluster), the connection breaks an hour later, so that a test is not held for ever.
func Silence() *Reply { return &Reply{silent: true} }

// Drop closes the connection.
func Drop() *Reply { return &Reply{drop: true} }

// Applied has the request carried out by the tables before the reply, which is sent
// instead of their answer: so a write times out, or its connection breaks, and is there.
func (r *Reply) Applied() *Reply {
	with := *r
	with.applied = true
	return &with
}

// After waits before the request is carried out and answered. Other requests of the
// connection are answered meanwhile.
func (r *Reply) After(d time.Duration) *Reply {
	with := *r
	with.delay = d
	return &with
}

// When waits until the channel is closed, as After does.
func (r *Reply) When(ready <-chan struct{}) *Reply {
	with := *r
	with.until = ready
	return &with
}

type control struct {
	fn      func(*Request) *Reply
	once    bool
	stopped atomic.Bool
}

// Control calls fn with each request before it is answered, until stop is called. If
// fn returns nil the next control function is asked, in the order in which they
// were added, and at last the tables.
//
// Control functions are called one at a time. A function must not wait, and must
// call no Session: it returns a Reply that waits. It may call the server's other methods.
func (s *Server) Control(fn func(*Request) *Reply) (stop func()) { return s.add(&control{fn: fn}) }

// ControlOnce is Control until fn has returned a Reply.
func (s *Server) ControlOnce(fn func(*Request) *Reply) (stop func()) {
	return s.add(&control{fn: fn, once: true})
}

func (s *Server) add(c *control) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.controls = append(s.controls[:len(s.controls):len(s.controls)], c)
	return func() { c.stopped.Store(true) }
}

// decide asks the control functions.
func (s *Server) decide(r *Request) *Reply {
	s.controlling.Lock()
	defer s.controlling.Unlock()
	s.mu.Lock()
	controls := s.controls
	s.mu.Unlock()
	for _, c := range controls {
		if c.stopped.Load() {
			continue
		}
		if reply := c.fn(r); reply != nil {
			if c.once {
				c.stopped.Store(true)
			}
			return reply
		}
	}
	return Tables()
}

// control answers a request as the control functions say.
func (s *Server) control(c *conn, m message.Message, answer func(message.Message)) {
	r := s.request(c, m)
	s.counts.begin(r)
	reply := s.decide(r)
	wait := reply.delay
	if !r.System() {
		wait += s.latency
	}
	if wait == 0 && reply.until == nil {
		s.reply(c, r, m, reply, answer)
		return
	}
	s.tasks.Go(func() {
		if wait > 0 {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			select {
			case <-timer.C: // whether the client still waits or not: the request is here
			case <-s.done:
			}
		}
		if reply.until != nil {
			select {
			case <-reply.until:
			case <-s.done:
			}
		}
		s.reply(c, r, m, reply, answer)
	})
}

// reply carries out what the control functions have said.
func (s *Server) reply(c *conn, r *Request, m message.Message, reply *Reply, answer func(message.Message)) {
	var ofTables message.Message
	if reply.applied || *reply == (Reply{delay: reply.delay, until: reply.until, empty: reply.empty}) {
		ofTables = s.answer(c, m, reply.empty)
	}
	s.counts.end(r) // before the client knows, which may send the next one then
	switch {
	case reply.drop:
		c.close()
	case reply.silent:
		s.breakLater(c)
	case reply.message != nil:
		answer(reply.message)
	default:
		answer(ofTables)
	}
}

// breakLater closes a connection on which nothing but its client's own timeout would end a request.
func (s *Server) breakLater(c *conn) {
	if s.loopback {
		return
	}
	s.tasks.Go(func() {
		timer := time.NewTimer(time.Hour)
		defer timer.Stop()
		select {
		case <-timer.C:
			c.close()
		case <-c.ended:
		case <-s.done:
		}
	})
}
