package source

import (
	"context"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/keyorder"
	"github.com/rxcql/rxcql/internal/rows"
	"github.com/rxcql/rxcql/internal/schema"
)

// sidePlan is what is read of one of two tables.
type sidePlan struct {
	about  *schema.Table
	cql    string
	names  []string // columns of the statement
	own    int      // columns that the type needs: the first ones of the statement
	key    []int    // which columns of the statement are the key's
	pinned *driver.Encoding
}

// planSide compares a type with its table, and adds the key columns that the type does not need.
func planSide[T any](ctx context.Context, t *table[T]) (sidePlan, error) {
	about, names, times, err := t.reads(ctx)
	if err != nil {
		return sidePlan{}, err
	}
	selected := append(quoted(names), times...)
	plan := sidePlan{about: about, own: len(selected)}
	for _, c := range slices.Concat(about.PartitionKey, about.ClusteringKey) {
		at := slices.Index(names, c.Name)
		if at < 0 {
			at = len(selected)
			selected = append(selected, schema.Quote(c.Name))
		}
		plan.key = append(plan.key, at)
	}
	plan.cql, plan.names = statement(about, selected), names
	plan.pinned = driver.NewEncoding(tokenTypes, func(ctx context.Context) error {
		return schema.Unchanged(ctx, t.session, about)
	})
	return plan, nil
}

// tokenTypes are the types of the bind markers of a token range.
var tokenTypes = []*codec.Type{{Kind: codec.Bigint}, {Kind: codec.Bigint}}

// request returns the request for a range. If the table has been dropped and made again it is not
// sent: rows that are not there would be taken for differences long before the end.
func (plan *sidePlan) request(cfg readConfig, span flow.TokenRange) driver.Statement {
	return driver.Statement{
		CQL: driver.Label(plan.cql, plan.about.ID, tokenTypes), Args: []any{span.Start, span.End},
		Consistency: cfg.consistency, Idempotent: true, Encoding: plan.pinned,
	}
}

func (plan *sidePlan) facts(side string) []rxcql.Fact {
	return []rxcql.Fact{
		{Name: side + " table", Value: plan.about.Quoted()},
		{Name: side + " table id", Value: plan.about.ID},
		{Name: side + " statement", Value: plan.cql}, // names the columns
	}
}

// side reads the pages of one of two tables, and has the rows of the latest one that are not paired
// yet.
type side[T any] struct {
	pages paged[T]
	keyed *rows.Keyed[T]
	plan  *sidePlan
	cfg   readConfig
	name  string      // "left" or "right"
	cuts  *pairSlices // nil without AdaptiveSplits

	part     part
	place    sidePlace // of the page
	next     []byte    // state of the page after it; nil if it is the last one
	over     bool      // all pages are read
	rows     []T
	bad      []undecoded // the rows that could not be decoded; in rows they are zero
	at       int         // the first row that is not paired
	key      keyorder.Key
	bytes    int64 // that the page takes
	received int64
}

func newSide[T any](name string, t *table[T], plan *sidePlan, st *rxcql.Stage) *side[T] {
	s := &side[T]{
		name: name, plan: plan, cfg: t.cfg,
		pages: paged[T]{
			session: t.session, table: plan.about, stage: st, buffers: make(buffers[T], 1), about: fetchOf(t.session, t.cfg, plan.about), rate: t.cfg.rate,
			sizing: newSizing(st.Input(), t.cfg.maxRows),
		},
	}
	s.keyed = newKeyed(plan.own, plan.key, readerOf[T](t.cfg, &s.pages.askedAt))
	s.pages.reader = s.keyed
	return s
}

// newKeyed returns what reads rows with their keys: the first own columns are those of T. reader
// reads rows without their keys.
func newKeyed[T any](own int, key []int, reader rows.Reader[T]) *rows.Keyed[T] {
	if raw, is := reader.(rows.Raw[T]); is {
		return rows.NewKeyedRaw(raw, key)
	}
	return rows.NewKeyed[T](own, key)
}

// begin turns to a range, from a place in it.
func (s *side[T]) begin(p part, from sidePlace) {
	s.drop()
	p.st = s.plan.request(s.cfg, p.span)
	s.part, s.next, s.over = p, from.state, from.over
	s.place = from
	if s.cuts != nil {
		s.cuts.begin(p.span, from)
	}
}

// more reports whether there are rows that are not paired.
func (s *side[T]) more() bool { return s.at < len(s.rows) }

// ready reports whether it is known which row comes next, or that there is none.
func (s *side[T]) ready() bool { return s.more() || s.over }

// wants reports whether the next page is to be fetched before rows can be paired.
func (s *side[T]) wants() bool { return !s.ready() }

// estimate returns the bytes that the rows take, and the next page if that is to be fetched.
func (s *side[T]) estimate(first bool, most int64) int64 {
	if !s.wants() {
		return s.bytes
	}
	return s.pages.sizing.estimate(s.pages.sizing.rows(first, most))
}

// fetch gets the next page of at most so many rows, 0 for any number, if one is wanted. n is the
// number of the page of pairs.
func (s *side[T]) fetch(ctx context.Context, n, most int64) error {
	if !s.wants() {
		return nil
	}
	var err error
	if s.cuts != nil {
		err = s.getSlice(ctx, n, most)
	} else {
		err = s.get(ctx, n, most)
	}
	if err != nil {
		err = fmt.Errorf("%s table %s: %w", s.name, s.plan.about.Quoted(), err)
		return s.pages.failed(ctx, &rxcql.RowError{Range: s.part.name, Page: n, Row: -1, Err: err})
	}
	return nil
}

func (s *side[T]) get(ctx context.Context, n, most int64) error {
	s.place = sidePlace{state: s.next}
	got, err := s.pages.fetch(ctx, s.part, n, s.next, most)
	if err != nil {
		return err
	}
	s.next = got.Next()
	s.over = s.next == nil
	return s.take(got)
}

// take decodes a page.
func (s *side[T]) take(got *driver.Page) error {
	read, bad, size, err := s.pages.decode(got)
	if err != nil {
		return err
	}
	s.rows, s.bad, s.at, s.received = read, bad, 0, int64(got.Bytes())
	s.bytes = s.received + size
	s.pages.sizing.saw(len(read), s.bytes)
	s.key = s.keyed.At(0)
	return nil
}

// step moves on to the next row that is wanted. It returns the row that it leaves, if that could
// not be decoded.
func (s *side[T]) step() (bad undecoded) {
	bad = s.forward()
	s.leaveOut()
	return bad
}

func (s *side[T]) forward() (bad undecoded) {
	if len(s.bad) > 0 && s.bad[0].index == s.at {
		bad, s.bad = s.bad[0], s.bad[1:]
		bad.err = fmt.Errorf("%s row: %w", s.name, bad.err)
	}
	s.at++
	s.key = s.keyed.At(s.at)
	return bad
}

// drop forgets the page, and returns what it took.
func (s *side[T]) drop() (bytes, received int64) {
	bytes, received = s.bytes, s.received
	if s.rows != nil {
		s.pages.buffers.put(s.rows)
	}
	s.keyed.Drop()
	s.rows, s.bad, s.at, s.key, s.bytes, s.received = nil, nil, 0, keyorder.Key{}, 0, 0
	return bytes, received
}

// here returns the place from which the rows come that are not paired yet.
func (s *side[T]) here() sidePlace {
	if s.more() {
		return s.place
	}
	if s.cuts != nil {
		return s.cuts.here()
	}
	return sidePlace{state: s.next, over: s.over}
}
