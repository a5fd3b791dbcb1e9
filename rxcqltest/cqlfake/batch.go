package cqlfake

import (
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
)

// batch reads a batch that is one statement.
func (p *parser) batch() *plan {
	made, kind := &plan{verb: BatchText}, primitive.BatchTypeLogged
	switch {
	case p.take("unlogged"):
		kind = primitive.BatchTypeUnlogged
	case p.take("counter"):
		kind = primitive.BatchTypeCounter
	}
	p.need("batch")
	if p.is("using") {
		refuse(unknown("USING of a whole batch"))
	}
	var parts []*plan
	for !p.take("apply") {
		part := p.writing()
		p.take(";")
		if made.table == nil {
			made.table = part.table
		}
		parts = append(parts, part)
	}
	p.need("batch")
	batchable(kind, parts)
	made.run = func(c *call) message.Message {
		writeAll(parts, c)
		return &message.VoidResult{}
	}
	return made
}

// writeAll runs several writes with the same values, all or none.
func writeAll(parts []*plan, c *call) {
	var writes []func()
	for _, part := range parts {
		writes = append(writes, part.write(c))
	}
	for _, write := range writes {
		write()
	}
}

// runBatch writes all entries of a batch or none.
func (s *Server) runBatch(c *conn, m *message.Batch) message.Message {
	at := s.timestamp()
	if m.DefaultTimestamp != nil {
		at = *m.DefaultTimestamp
	}
	var parts []*plan
	for _, child := range m.Children {
		made := s.prepared[string(child.Id)]
		var err message.Error
		if len(child.Id) == 0 {
			made, err = s.compile(c.keyspace, child.Query)
		} else if made == nil {
			err = unprepared(child.Id)
		}
		if err != nil {
			return err
		}
		if made.write == nil {
			return invalid("Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.")
		}
		parts = append(parts, made)
	}
	var writes []func()
	err := caught(func() {
		batchable(m.Type, parts)
		for i, part := range parts {
			of := &call{conn: c, values: valuesOf(m.Children[i].Values), timestamp: at, now: time.Now()}
			part.check(of.values)
			writes = append(writes, part.write(of))
		}
	})
	if err != nil {
		return err
	}
	for _, write := range writes {
		write()
	}
	return &message.VoidResult{}
}

// batchable refuses a batch whose statements do not go together.
func batchable(kind primitive.BatchType, parts []*plan) {
	counters := 0
	for _, part := range parts {
		if part.table.counter {
			counters++
		}
	}
	switch {
	case kind == primitive.BatchTypeCounter && counters < len(parts):
		refuse(invalid("Cannot include non-counter statement in a counter batch"))
	case counters > 0 && counters < len(parts):
		refuse(invalid("Counter and non-counter mutations cannot exist in the same batch"))
	case kind == primitive.BatchTypeLogged && counters > 0:
		refuse(invalid("Cannot include a counter statement in a logged batch"))
	}
}
