package cqlfake

import (
	"strings"

	"github.com/datastax/go-cassandra-native-protocol/message"
)

// Kind is what a client asks for.
type Kind string

const (
	Prepare Kind = "PREPARE" // a statement is read, and not run
	Query   Kind = "QUERY"   // a statement is run that was not prepared: CREATE, USE, …
	Execute Kind = "EXECUTE" // a statement is run that was prepared
	Batch   Kind = "BATCH"   // several are
)

// Verb is what a statement does.
type Verb string

const (
	Select    Verb = "SELECT"
	Insert    Verb = "INSERT"
	Update    Verb = "UPDATE"
	Delete    Verb = "DELETE"
	BatchText Verb = "BATCH" // a batch that is one statement, BEGIN BATCH … APPLY BATCH
)

// Statement is one of a request.
type Statement struct {
	CQL    string
	Verb   Verb    // "" for others, such as CREATE TABLE, and for what cannot be read
	Table  string  // keyspace.table; of a batch the first; "" where Verb is
	Values []Value // in the order of the bind markers, as bytes of their types; none if Kind is Prepare
}

// Request is one that a client sent. It must not be changed, and is valid after the
// function that it was given to.
type Request struct {
	Kind       Kind
	Statements []Statement // one, and of a Batch any number
	PageSize   int         // rows; 0 for no paging
	PageState  []byte      // nil for the first page
}

// Reads reports whether the request asks for a page of a table, as "keyspace.table",
// or "" for any but the system's.
func (r *Request) Reads(table string) bool {
	return r.Kind != Prepare && r.any(table, func(v Verb) bool { return v == Select })
}

// Writes reports whether the request writes to a table, as "keyspace.table", or ""
// for any.
func (r *Request) Writes(table string) bool {
	return r.Kind != Prepare && r.any(table, func(v Verb) bool { return v != Select })
}

func (r *Request) any(table string, of func(Verb) bool) bool {
	for _, s := range r.Statements {
		if s.Verb != "" && of(s.Verb) && (s.Table == table || table == "" && !isSystem(s.Table)) {
			return true
		}
	}
	return false
}

// System reports whether the request is about system tables: the driver and the
// toolkit read them to learn of nodes and the schema.
func (r *Request) System() bool {
	return len(r.Statements) > 0 && isSystem(r.Statements[0].Table)
}

func isSystem(table string) bool {
	keyspace, _, _ := strings.Cut(table, ".")
	for _, system := range systemKeyspaces {
		if keyspace == system {
			return true
		}
	}
	return false
}

// request describes a message. The plans of what was prepared are known.
func (s *Server) request(c *conn, m message.Message) *Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	about := func(cql string, made *plan, values []Value) Statement {
		if made == nil {
			made, _ = s.compile(c.keyspace, cql)
		}
		if made == nil {
			return Statement{CQL: cql, Values: values}
		}
		st := Statement{CQL: made.cql, Verb: made.verb, Values: values}
		if made.table != nil {
			st.Table = made.table.String()
		}
		return st
	}
	options := func(r *Request, o *message.QueryOptions) (values []Value) {
		if o != nil {
			r.PageSize, r.PageState, values = int(o.PageSize), o.PagingState, valuesOf(o.PositionalValues)
		}
		return values
	}
	r := &Request{}
	switch m := m.(type) {
	case *message.Prepare:
		r.Kind, r.Statements = Prepare, []Statement{about(m.Query, nil, nil)}
	case *message.Query:
		r.Kind = Query
		r.Statements = []Statement{about(m.Query, nil, options(r, m.Options))}
	case *message.Execute:
		r.Kind = Execute
		r.Statements = []Statement{about("", s.prepared[string(m.QueryId)], options(r, m.Options))}
	case *message.Batch:
		r.Kind = Batch
		for _, child := range m.Children {
			r.Statements = append(r.Statements, about(child.Query, s.prepared[string(child.Id)], valuesOf(child.Values)))
		}
	}
	return r
}
