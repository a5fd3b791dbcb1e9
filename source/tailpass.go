package source

import (
	"context"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/rows"
)

// pass is one reading of a partition, from its edge to its end. It has the rows of the latest page
// that are not handed on yet. Each shard has one, which is used again.
type pass[T any] struct {
	pages paged[T]
	keyed *rows.Keyed[T]

	of    tailPartition
	edge  tailEdge
	begun bool  // a row beyond edge.after has come
	top   int64 // rows that arrived before are given
	// beyond: rows are past the time up to which all is complete. They will be read again, so they
	// are remembered; from here on the edge stays.
	beyond bool
	last   [][]byte   // the clustering key of the last row that is complete; nil if the edge has it
	moved  bool       // the edge did, and the place does not have it yet
	seen   seenRows   // of the place
	fresh  seenRecord // rows that were handed on and are remembered, and the records do not have

	from     part
	state    []byte // of the next page
	over     bool   // there is none
	rows     []T
	bad      []undecoded // the rows that could not be decoded; in rows they are zero
	at       int         // the first row that is not handed on
	arrived  int64       // when it arrived; if there is none, when the one before it did, or the edge is
	complete int64       // up to when all was complete when the page was asked for
	bytes    int64       // that the page takes
	received int64
}

func (r *tailReader[T]) newPass(st *rxcql.Stage) *pass[T] {
	keyed := newKeyed(r.plan.own, r.plan.key, rows.ReaderOf[T](rxcql.NewColumns, rxcql.NewRow))
	p := &pass[T]{keyed: keyed}
	p.pages = paged[T]{
		session: r.session, table: r.plan.about, stage: st, about: fetchOf(r.session, r.cfg.readConfig, r.plan.about), rate: r.cfg.rate,
		sizing: newSizing(st.Input(), r.cfg.maxRows), reader: keyed, buffers: make(buffers[T], 1),
	}
	// A merge has a page of each shard, and room for two pages.
	p.pages.sizing.want = max(1, min(p.pages.sizing.want, 2*p.pages.sizing.want/int64(r.buckets.shards())))
	return p
}

// open turns to a partition. all says that no row comes any more to the bucket, so that it is read
// to its end, whatever times its rows have. There may be nothing to read.
func (r *tailReader[T]) open(p *pass[T], of tailPartition, all bool) error {
	p.of, p.edge = of, r.place.edge(of)
	p.begun, p.beyond, p.moved, p.last, p.seen = false, false, false, nil, r.place.seen[of]
	p.state, p.over, p.complete, p.arrived = nil, false, 0, p.edge.at
	end := int64(forever)
	if !r.cfg.until.IsZero() {
		end = r.cfg.until.UnixMilli()
	}
	p.top = r.top
	if all {
		p.top = end
	}
	upper := p.top
	if r.reread != nil { // a clock may have been set back since
		upper = min(max(upper, r.reread.upper), end)
	}
	if p.edge.at >= upper {
		p.over, p.beyond = true, true // the edge stays
		return nil
	}
	lower := r.plan.arrival(p.edge.at)
	if p.edge.after != nil {
		lower = p.edge.after[0]
	}
	request, err := r.plan.request(&r.buckets, &r.cfg, of, lower, r.plan.arrival(upper))
	p.from = part{name: r.plan.nameOf(of), st: request}
	return err
}

// more reports whether there are rows that are not handed on.
func (p *pass[T]) more() bool { return p.at < len(p.rows) }

// wants reports whether the next page is to be fetched before it is known what comes next.
func (p *pass[T]) wants() bool { return !p.more() && !p.over }

// estimate returns the bytes that the rows take, or the next page if that is to be fetched.
func (p *pass[T]) estimate(most int64) int64 {
	if !p.wants() {
		return p.bytes
	}
	return p.pages.sizing.estimate(p.pages.sizing.rows(false, most))
}

// fetch gets the next page of at most so many rows, 0 for any number.
func (r *tailReader[T]) fetch(ctx context.Context, p *pass[T], most int64) error {
	if r.clock.stale() {
		if err := r.askClock(ctx); err != nil {
			return err
		}
	}
	p.complete = r.complete()
	began := time.Now()
	got, err := p.pages.fetch(ctx, p.from, r.page, p.state, most)
	if err != nil {
		return r.failed(ctx, p.of, err)
	}
	r.heard(r.answerOf(p.of), began, p.pages.askedAt, p.pages.attempt.Attempt > 1)
	read, bad, size, err := p.pages.decode(got)
	if err != nil {
		return r.failed(ctx, p.of, err)
	}
	p.rows, p.bad, p.at, p.received = read, bad, 0, int64(got.Bytes())
	p.bytes = p.received + size
	p.pages.sizing.saw(len(read), p.bytes)
	p.state = got.Next()
	p.over = p.state == nil
	r.look(p)
	return nil
}

// look notes when the next row arrived.
func (r *tailReader[T]) look(p *pass[T]) {
	if p.more() {
		p.arrived, _ = r.plan.arrived(p.keyed.At(p.at).Cells[0])
	}
}

// drop forgets the page, and returns what it took.
func (p *pass[T]) drop() (bytes, received int64) {
	bytes, received = p.bytes, p.received
	if p.rows != nil {
		p.pages.buffers.put(p.rows)
	}
	p.keyed.Drop()
	p.rows, p.bad, p.at, p.bytes, p.received = nil, nil, 0, 0, 0
	return bytes, received
}

// settle moves the edge, and writes down where it is now and which rows are remembered.
func (r *tailReader[T]) settle(p *pass[T]) {
	switch {
	case p.over && !p.more() && !p.beyond && p.complete > p.edge.at:
		p.edge, p.moved = tailEdge{at: p.complete}, true
	case p.last != nil && r.isPast(&p.edge, p.last):
		arrived, _ := r.plan.arrived(p.last[0])
		p.edge, p.moved = tailEdge{at: arrived, after: cloned(p.last)}, true
	}
	p.last = nil
	if p.moved {
		p.moved = false
		r.place.move(p.of, p.edge)
		r.records = appendEdge(r.records, p.of, p.edge)
	}
	r.records = p.fresh.appendTo(r.records, p.of)
}
