package operators_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// randomScript is a source of which no row comes behind a watermark of its part. Each part
// ends, and last is what it has said by then.
func randomScript(rt *rapid.T, name string, last map[partName]flow.Watermark) rxcql.Stream[timed] {
	parts := rapid.IntRange(1, 3).Draw(rt, name+" parts")
	marks := make([]int, parts)
	var pages []happening
	for range rapid.IntRange(0, 25).Draw(rt, name+" pages") {
		part := rapid.IntRange(0, parts-1).Draw(rt, "part")
		p := happening{part: part}
		for range rapid.SampledFrom([]int{0, 0, 1, 2, 3, 9}).Draw(rt, "rows") {
			p.at = append(p.at, marks[part]+rapid.IntRange(0, spread).Draw(rt, "at"))
		}
		if rapid.Bool().Draw(rt, "marked") {
			marks[part] += rapid.IntRange(0, 10).Draw(rt, "further")
			p.mark = marks[part]
		}
		if rapid.IntRange(0, 3).Draw(rt, "idle") == 0 {
			p.idle = 1 + marks[part]
		}
		pages = append(pages, p)
	}
	for part, mark := range marks {
		pages = append(pages, happening{part: part, last: true})
		last[partName{name, part}] = markAt(mark)
	}
	switch rapid.IntRange(0, 3).Draw(rt, name+" by EventTime") {
	case 0:
		return byEventTime(name, pages, last)
	case 1: // each idle moment counts at once; no row before it is still to come
		return byEventTime(name, pages, last, operators.IdleAfter(0))
	}
	return script(name, pages...)
}

// spread is by how much a row of a random script may be earlier than one before it.
const spread = 12

// byEventTime is a script whose watermarks are those of EventTime.
func byEventTime(name string, pages []happening, last map[partName]flow.Watermark, idles ...operators.EventTimeOption) rxcql.Stream[timed] {
	latest := map[int]int{}
	for _, p := range pages {
		for _, at := range p.at {
			latest[p.part] = max(latest[p.part], at+1) // one more, so that 0 is none
		}
		if len(idles) > 0 && p.idle > 0 {
			latest[p.part] = max(latest[p.part], p.idle+1)
		}
		delete(last, partName{name, p.part})
	}
	for part, at := range latest {
		last[partName{name, part}] = flow.WatermarkAt(time.Unix(int64(at-1-spread), 0))
	}
	return operators.EventTime(script(name, pages...), happened, append(idles, operators.OutOfOrderness(spread*time.Second))...)
}

// watched is a random tree of operators over sources with watermarks.
type watched struct {
	s       rxcql.Stream[timed]
	marks   map[partName]flow.Watermark // what all parts have said in the end
	whole   bool                        // nothing ends the stream, or makes other parts of it
	forever bool                        // all parts end, and it is said
	sources int
	chain   []string
}

func (w *watched) grow(rt *rapid.T) {
	all := slices.DeleteFunc(uses(), func(u use) bool {
		return adjacent(u) && w.s.MixesRows() || u.how == "with another" || u.sets || w.explodes(u) || u.outside && slices.Contains(w.chain, "Rx")
	})
	if rapid.IntRange(0, 4).Draw(rt, "join") == 0 {
		w.join(rt)
		return
	}
	u := rapid.SampledFrom(all).Draw(rt, "operator")
	w.chain = append(w.chain, u.String())
	w.whole = w.whole && !u.ends && !u.own
	w.forever = w.forever && !u.ends || u.own
	w.s = u.put(w.s)
}

// join puts an operator behind the tree and another one.
func (w *watched) join(rt *rapid.T) {
	other := &watched{marks: w.marks, whole: true, sources: w.sources, chain: append(w.chain, "(")}
	other.s = other.source(rt)
	for range rapid.IntRange(0, 2).Draw(rt, "length of the other") {
		other.grow(rt)
	}
	how := rapid.SampledFrom([]string{"Merge", "Concat", "Concat, the other first"}).Draw(rt, "join by")
	switch how {
	case "Merge":
		w.s = operators.Merge(w.s, other.s)
	case "Concat":
		w.s = operators.Concat(w.s, other.s)
	default:
		w.s = operators.Concat(other.s, w.s)
	}
	w.sources, w.whole = other.sources, w.whole && other.whole
	w.forever = true // an input that was ended early has ended
	w.chain = append(other.chain, ")", how)
}

// adjacent reports whether the operator refuses rows that are mixed.
func adjacent(u use) bool { return strings.HasSuffix(u.operator, "Adjacent") }

// explodes reports whether the operator makes many rows of one, and another does already: the
// rows of both are more than a test has time for.
func (w *watched) explodes(u use) bool {
	const many = "to more than a page"
	return u.how == many && slices.Contains(w.chain, u.String())
}

func (w *watched) source(rt *rapid.T) rxcql.Stream[timed] {
	w.sources++
	return randomScript(rt, strings.Repeat("S", w.sources), w.marks)
}

func randomWatched(rt *rapid.T) *watched {
	w := &watched{marks: map[partName]flow.Watermark{}, whole: true, forever: true}
	w.s = w.source(rt)
	for range rapid.IntRange(1, 4).Draw(rt, "length") {
		w.grow(rt)
	}
	return w
}

// agrees checks that what a sink has heard is all that there was to hear.
func (w *watched) agrees(t require.TestingT, h *heard) {
	require.NoError(t, h.broken)
	if w.forever {
		require.Equal(t, flow.Forever, h.clock.Now(), "the clock in the end, behind %v", w.chain)
	}
	if !w.whole {
		return
	}
	for name, mark := range w.marks {
		require.Equal(t, mark, h.marks[name], "the last watermark of %v, behind %v", name, w.chain)
		require.True(t, h.ended[name], "the end of %v, behind %v", name, w.chain)
	}
}

// The clock of the stage is compared with its model page by page, and each row with the clock.
func TestNoWatermarkOvertakesARowAndNoneIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := randomWatched(rt)
		rt.Logf("%v", w.chain)
		h := newHeard()
		hear(rt, w.s, &listening{heard: h})
		w.agrees(rt, h)
	})
}

func TestEachBranchOfATeeHearsTheWatermarks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := randomWatched(rt)
		rt.Logf("%v", w.chain)
		plain, behind := newHeard(), newHeard()
		inside := *w
		branch := sink.Through(func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			inside.s = in
			for range rapid.IntRange(1, 2).Draw(rt, "inside") {
				u := rapid.SampledFrom(slices.DeleteFunc(uses(), func(u use) bool {
					return adjacent(u) || u.how == "with another" || u.sets || inside.explodes(u) || u.outside
				})).Draw(rt, "operator inside")
				inside.chain = append(inside.chain, u.String())
				inside.whole = inside.whole && !u.ends && !u.own
				inside.forever = inside.forever && !u.ends || u.own
				inside.s = u.put(inside.s)
			}
			return inside.s
		}, rxcql.Sink[timed](&listening{heard: behind}))
		last := newHeard()
		hear(rt, w.s, sink.Tee[timed](&listening{heard: plain}, branch, &listening{heard: last}))
		w.agrees(rt, plain)
		inside.agrees(rt, behind)
		w.agrees(rt, last)
	})
}
