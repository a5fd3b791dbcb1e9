package cqlfake

import (
	"fmt"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
)

// answer runs a request on the tables. Empty is for a page without its rows.
func (s *Server) answer(c *conn, m message.Message, empty bool) message.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m := m.(type) {
	case *message.Prepare:
		made, err := s.compile(c.keyspace, m.Query)
		if err != nil {
			return err
		}
		id := statementID(c.keyspace, m.Query)
		s.prepared[string(id)] = made
		return made.prepared(id)
	case *message.Query:
		made, err := s.compile(c.keyspace, m.Query)
		if err != nil {
			return err
		}
		return s.run(c, made, m.Options, empty)
	case *message.Execute:
		made := s.prepared[string(m.QueryId)]
		if made == nil {
			return unprepared(m.QueryId)
		}
		return s.run(c, made, m.Options, empty)
	case *message.Batch:
		return s.runBatch(c, m)
	}
	panic(fmt.Sprintf("a request of the kind %T", m))
}

func unprepared(id []byte) *message.Unprepared {
	return &message.Unprepared{ErrorMessage: fmt.Sprintf("Prepared query with ID %x not found", id), Id: id}
}

func (s *Server) run(c *conn, made *plan, options *message.QueryOptions, empty bool) message.Message {
	if empty && made.verb != Select {
		return unknown("an empty page of what is no SELECT")
	}
	of := &call{conn: c, empty: empty, now: time.Now()}
	if options != nil {
		if len(options.NamedValues) > 0 {
			return unknown("values with names")
		}
		of.values, of.pageSize, of.state = valuesOf(options.PositionalValues), int(options.PageSize), options.PagingState
		if options.DefaultTimestamp != nil {
			of.timestamp = *options.DefaultTimestamp
			return made.execute(of)
		}
	}
	of.timestamp = s.timestamp()
	return made.execute(of)
}
