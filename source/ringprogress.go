package source

import (
	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/ring"
)

// ringProgress estimates which part of the ring a table source has read. A range that is read to
// its end counts with its width. A range that is being read counts by its rows, assuming as many
// rows to a token as in the ranges that are done.
type ringProgress struct {
	st     *rxcql.Stage
	total  float64 // tokens of all ranges
	done   float64 // tokens of ranges that are read to their end
	width  float64 // tokens of ranges that were read to their end in this run
	rows   float64 // in these
	begun  map[flow.TokenRange]float64
	behind float64 // the largest share of a range that counts before its end is read
}

// newRingProgress begins. ranges are all ranges; parts are left to read.
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
	g.done = max(0, g.done) // below 0 if the borders of a part are no longer among those of ranges
	st.Measured(g.done, g.total)
	return g
}

func width(r flow.TokenRange) float64 { return float64(ring.Range(r).Width()) }

// given notes a page that was handed on. had is how many rows the range has given so far.
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
