package cqlfake

import "sync"

// counts counts requests.
type counts struct {
	mu       sync.Mutex
	seen     map[Kind]map[string]int // by tables
	inFlight int
	most     int
}

// counted reports whether a request is one of those in flight. Each connection begins with a USE,
// which is of no table: the driver makes some of them while others are in use already.
func counted(r *Request) bool {
	return r.Kind != Prepare && len(r.Statements) > 0 && r.Statements[0].Table != "" && !r.System()
}

func (c *counts) begin(r *Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[Kind]map[string]int{}
	}
	if c.seen[r.Kind] == nil {
		c.seen[r.Kind] = map[string]int{}
	}
	table := ""
	if len(r.Statements) > 0 {
		table = r.Statements[0].Table
	}
	c.seen[r.Kind][table]++
	if counted(r) {
		c.inFlight++
		c.most = max(c.most, c.inFlight)
	}
}

func (c *counts) end(r *Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if counted(r) {
		c.inFlight--
	}
}

// Requests is how many requests of a kind came so far for a table, as
// "keyspace.table", answered or not. A batch counts once, for the table of its first
// statement.
func (s *Server) Requests(kind Kind, table string) int {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	return s.counts.seen[kind][table]
}

// InFlight is how many requests are being answered that run statements on tables
// other than the system's.
func (s *Server) InFlight() int {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	return s.counts.inFlight
}

// MaxInFlight is the most that InFlight was.
func (s *Server) MaxInFlight() int {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	return s.counts.most
}
