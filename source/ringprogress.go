package source

import (
	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/ring"
)

// ringProgress is which part of the ring a table source has given. Ranges that are read to
// their end count with their width; one that is being read as if it had as many rows to a
// token as those have.
type ringProgress struct {
	st     *rxcql.Stage
	total  float64 // tokens of all ranges
	done   float64 // of those that are read to their end
	width  float64 // of those that were read to their end in this run
	rows   float64 // in these
	begun  map[flow.TokenRange]float64
	behind float64 // most of a range counts until it is read to its end
}

// newRingProgress begins: of ranges those in parts are left to read.
func newRingProgress(st *rxcql.Stage, ranges []flow.TokenRange, parts []part) *ringProgress {
	g := &ringProgress{st: st, begun: map[flow.TokenRange]float64{}, behind: 0.95}
	for _, r := range ranges {
		g.total += width(r)
	}
	g.done = g.total
	for _, p := range parts {
		g.done -= width(p.span)
		if p.track != nil {
			g.begun[p.span] = float64(p.track.Rows())
		}
	}
	g.done = max(0, g.done) // where the borders of a part are no longer among them
	st.Measured(g.done, g.total)
	return g
}

func width(r flow.TokenRange) float64 { return float64(ring.Range(r).Width()) }

// given notes a page that was handed on. Had is how many rows the range has given so far.
func (g *ringProgress) given(span flow.TokenRange, had int64, last bool) {
	if last {
		delete(g.begun, span)
		g.done += width(span)
		g.width += width(span)
		g.rows += float64(had)
	} else {
		g.begun[span] = float64(had)
	}
	now := g.done
	if g.rows > 0 {
		for span, rows := range g.begun {
			now += min(rows/g.rows*g.width, g.behind*width(span))
		}
	}
	g.st.Measured(now, g.total)
}
