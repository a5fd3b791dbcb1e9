package driver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/codec"
)

// Encoding says what the bound values of a statement are encoded for: the types of
// its bind markers, and tables that have not been made again since. A request that
// has one is compared with it before it is sent; if it differs the request fails
// with a SchemaChangedError, and nothing has been sent.
//
// What it is compared with is the server's description of the prepared statement.
// A server forgets a statement when its table goes, so a description that has not been
// seen before is the sign to ask whether the tables are still those.
//
// What that leaves open are requests that are on their way in that very moment: gocql
// prepares a forgotten statement again by itself, under the same id, before it asks
// anyone, and the server then takes what still waits there. So callers bound what is on
// its way, and ask Unchanged once more at the end.
//
// An Encoding is safe for concurrent use and serves one statement, in texts that
// have it once or several times over.
type Encoding struct {
	types  []*codec.Type
	params []gocql.ColumnInfo // of values that are encoded here; nil if they come encoded
	same   func(context.Context) error

	turn chan struct{} // holds a token while the server is asked
	seen sync.Map      // of *byte: where the ids of prepared statements lie
	n    atomic.Int32  // of seen, about
}

// maxSeen bounds the descriptions that are known: one a text, a node and a prepare.
const maxSeen = 4096

// NewEncoding is for values that are encoded already, for these types in the order
// of the markers. Same asks the server whether the tables are what they were: nil, a
// SchemaChangedError, or why that is not known.
func NewEncoding(types []*codec.Type, same func(context.Context) error) *Encoding {
	return &Encoding{types: types, same: same, turn: make(chan struct{}, 1)}
}

// Encoding is for Go values, which are encoded for the types described.
func (d *Description) Encoding(same func(context.Context) error) *Encoding {
	e := NewEncoding(d.Types(), same)
	e.params = d.params
	return e
}

// Label puts a comment into a statement that stands for what its values are encoded
// for: the ids of tables and the types of the bind markers. gocql keeps what the server
// says of a text for as long as the session lives; a text of its own for each state of
// the schema has no old description, and is not prepared anew by those who write another
// state of it.
func Label(cql, tables string, types []*codec.Type) string {
	hash := sha256.New()
	fmt.Fprintf(hash, "%q", tables)
	for _, t := range types {
		fmt.Fprintf(hash, " %q", whole(t))
	}
	label := " /* " + hex.EncodeToString(hash.Sum(nil)[:8]) + " */"
	cql = strings.TrimSpace(cql)
	if len(cql) > len("begin") && strings.EqualFold(cql[:len("begin")], "begin") {
		return cql[:len("begin")] + label + cql[len("begin"):] // gocql wants a batch to end with that word
	}
	return cql + label
}

// whole spells a type with the fields of user-defined types in it.
func whole(t *codec.Type) string {
	text := t.String()
	for _, e := range t.Elems {
		text += ";" + whole(e)
	}
	for _, f := range t.Fields {
		text += fmt.Sprintf(";%q %s", f.Name, whole(f.Type))
	}
	return text
}

// Unchanged asks the server whether the tables are what they were.
func (e *Encoding) Unchanged(ctx context.Context) error {
	if e == nil || e.same == nil {
		return nil
	}
	return e.same(ctx)
}

// accepts compares a description with the encoding.
func (e *Encoding) accepts(ctx context.Context, info *gocql.QueryInfo) error {
	if len(info.Id) == 0 {
		return e.look(ctx, info)
	}
	id := &info.Id[0]
	if _, known := e.seen.Load(id); known {
		return nil
	}
	select {
	case e.turn <- struct{}{}:
	case <-ctx.Done():
		return &NotSentError{cancelled(ctx, ctx.Err())}
	}
	defer func() { <-e.turn }()
	if _, known := e.seen.Load(id); known { // since
		return nil
	}
	if err := e.look(ctx, info); err != nil {
		return err
	}
	if e.n.Add(1) > maxSeen {
		e.seen.Clear()
		e.n.Store(1)
	}
	e.seen.Store(id, nil)
	return nil
}

// look compares the types first: a node that has not heard of a change yet may say
// that the table is what it was.
func (e *Encoding) look(ctx context.Context, info *gocql.QueryInfo) error {
	times := 1
	if len(e.types) > 0 {
		times = len(info.Args) / len(e.types)
	}
	if len(info.Args) != times*len(e.types) {
		return &SchemaChangedError{fmt.Sprintf("the statement took a multiple of %d bound values when they were encoded, and takes %d now",
			len(e.types), len(info.Args))}
	}
	for i, param := range info.Args {
		now, err := codec.FromDriver(param.TypeInfo)
		if err != nil {
			return &NotSentError{fmt.Errorf("bound value %d (%s): %w", i+1, param.Name, err)}
		}
		if was := e.types[i%len(e.types)]; !sameEncoding(was, now) {
			return &SchemaChangedError{fmt.Sprintf("bound value %d (%s) of %s.%s is %s, and was %s when the values were encoded: "+
				"the table was altered, or dropped and made again", i+1, param.Name, param.Keyspace, param.Table, now, was)}
		}
	}
	if err := e.Unchanged(ctx); err != nil {
		if Classify(err) == SchemaChanged {
			return err
		}
		return &NotSentError{fmt.Errorf("asking whether the table is still the same: %w", err)}
	}
	return nil
}

// sameEncoding reports whether bytes of one type mean the same in the other. A user-defined type
// may have got fields at its end: in a value that ends before them they are null. Custom types are
// not compared.
func sameEncoding(was, now *codec.Type) bool {
	switch {
	case was.Kind == codec.Custom || now.Kind == codec.Custom:
		return was.Kind == now.Kind
	case was.Kind != now.Kind || was.Dim != now.Dim || len(was.Elems) != len(now.Elems):
		return false
	}
	for i := range was.Elems {
		if !sameEncoding(was.Elems[i], now.Elems[i]) {
			return false
		}
	}
	for i := range min(len(was.Fields), len(now.Fields)) {
		if was.Fields[i].Name != now.Fields[i].Name || !sameEncoding(was.Fields[i].Type, now.Fields[i].Type) {
			return false
		}
	}
	return len(was.Fields) <= len(now.Fields)
}
