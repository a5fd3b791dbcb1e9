package sink

import (
	"strings"
	"sync"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

// statement is the CQL that writes rows of one shape. Its bind markers are the row's cells in
// order, with the timestamp and the time to live where the text has them.
type statement struct {
	cql     string
	sent    string // cql as it is sent
	aim     *aim
	markers int
	deletes bool // the timestamp comes first, and there is no time to live
	ttl     bool // the time to live comes last, after the timestamp
	updates bool // the timestamp and the time to live come first, and the key last: see Times
	lists   bool // writes a list that is not frozen: see clock
	many    manifold
}

// assignment is one column of a statement: its name, and the term for its value. The term has as
// many bind markers, of these types, as the row has cells for it.
type assignment struct {
	name  string
	term  string
	types []*codec.Type
}

func insertion(table *schema.Table, same sameness, set []assignment, ttl, lists bool) *statement {
	var names, terms strings.Builder
	for i, a := range set {
		if i > 0 {
			names.WriteByte(',')
			terms.WriteByte(',')
		}
		names.WriteString(schema.Quote(a.name))
		terms.WriteString(a.term)
	}
	cql := "INSERT INTO " + table.Quoted() + " (" + names.String() + ") VALUES (" + terms.String() + ") USING TIMESTAMP ?"
	markers := strings.Count(terms.String(), "?") + 1
	if ttl {
		cql += " AND TTL ?"
		markers++
	}
	types := append(typesOf(set), timestampType)
	if ttl {
		types = append(types, ttlType)
	}
	aim := newAim(table, same, types)
	return &statement{cql: cql, sent: aim.text(cql), aim: aim, markers: markers, ttl: ttl, lists: lists}
}

func deletion(table *schema.Table, same sameness, key []assignment) *statement {
	var where strings.Builder
	for i, a := range key {
		if i > 0 {
			where.WriteString(" AND ")
		}
		where.WriteString(schema.Quote(a.name) + "=" + a.term)
	}
	cql := "DELETE FROM " + table.Quoted() + " USING TIMESTAMP ? WHERE " + where.String()
	aim := newAim(table, same, append([]*codec.Type{timestampType}, typesOf(key)...))
	return &statement{
		cql: cql, sent: aim.text(cql), aim: aim,
		markers: strings.Count(where.String(), "?") + 1,
		deletes: true,
	}
}

const (
	// manifoldAfter is how often batches of a size must come before a statement is prepared for
	// that size.
	manifoldAfter = 4
	// maxManifoldMarkers bounds what such statements of one shape take of the server's cache of
	// prepared statements, which is 10 MiB on small nodes. About 280 bytes a marker were measured,
	// and twice that if the session has a keyspace.
	maxManifoldMarkers = 4096
)

// manifold keeps texts that write a whole batch as one prepared statement,
//
//	BEGIN UNLOGGED BATCH INSERT …;INSERT …; APPLY BATCH
//
// To the server that is the same as a batch of as many statements. The client needs 0.6 of the CPU,
// since gocql looks up, binds and remembers each entry of a batch by itself. And the request goes
// to a replica in the table's keyspace, while a batch goes by the session's keyspace. Each number
// of rows needs a text of its own, so only sizes that occur repeatedly get one, as long as the
// server's cache is not crowded.
type manifold struct {
	mu      sync.Mutex
	uses    map[int]int
	texts   map[int]string
	markers int
}

// times returns the text that runs the statement for n rows, "" if there is none.
func (s *statement) times(n int) string {
	if n < 2 {
		return ""
	}
	m := &s.many
	m.mu.Lock()
	defer m.mu.Unlock()
	if text := m.texts[n]; text != "" {
		return text
	}
	if m.markers+n*s.markers > maxManifoldMarkers {
		return ""
	}
	if m.uses == nil {
		m.uses, m.texts = map[int]int{}, map[int]string{}
	}
	if m.uses[n]++; m.uses[n] <= manifoldAfter {
		return ""
	}
	m.markers += n * s.markers
	m.texts[n] = s.aim.text("BEGIN UNLOGGED BATCH " + strings.Repeat(s.cql+";", n) + " APPLY BATCH")
	return m.texts[n]
}
