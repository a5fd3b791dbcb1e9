package flow_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/timetest"
)

func second(n int) flow.Watermark { return flow.WatermarkAt(time.Unix(int64(n), 0)) }

func said(o *flow.Origin, part, at int) flow.Advance {
	a := flow.Advance{Position: flow.Position{Source: o, Range: part}}
	if at > 0 {
		a.Watermark = second(at)
	}
	return a
}

func lastOf(o *flow.Origin, part int) flow.Advance {
	a := said(o, part, 0)
	a.Last = true
	return a
}

func readingOf(name string, p flow.Parts) *flow.Origin {
	o := &flow.Origin{Name: name}
	o.SetParts(p)
	return o
}

func TestTheClockOfAStageIsTheLeastOfItsOpenParts(t *testing.T) {
	a, b := readingOf("A", flow.Parts{Count: 2}), readingOf("B", flow.Parts{Count: 1})
	var c flow.EventClock
	require.False(t, c.Now().Known())
	for _, step := range []struct {
		add  flow.Advance
		want flow.Watermark
	}{
		{flow.Begins(b), flow.Watermark{}},
		{said(a, 0, 10), flow.Watermark{}},                             // part 1 has not begun
		{said(a, 1, 20), flow.Watermark{}},                             // nor has B
		{said(b, 0, 15), second(10)},                                   //
		{said(a, 0, 18), second(15)},                                   //
		{said(b, 0, 12), second(15)},                                   // nothing goes back
		{flow.Advance{Position: flow.Position{Range: -1}}, second(15)}, // rows of several parts
		{said(b, 0, 19), second(18)},                                   //
		{lastOf(a, 0), second(19)},                                     // a part that has ended counts no more
		{flow.Ends(b), second(20)},                                     // nor does an input that was ended early
		{said(b, 0, 16), second(20)},                                   // whatever is said of it
		{lastOf(a, 1), flow.Forever},                                   //
	} {
		c.Add(step.add)
		require.Equal(t, step.want, c.Now(), "%+v", step.add)
	}
}

func TestAnExpectedSourceHoldsTheClockBackUntilItSaysHowFarItIs(t *testing.T) {
	a, b := readingOf("A", flow.Parts{Count: 1}), readingOf("B", flow.Parts{Count: 1})
	var c flow.EventClock
	c.Expect(b)
	c.Add(said(a, 0, 10))
	require.False(t, c.Now().Known())
	c.Add(lastOf(a, 0))
	require.False(t, c.Now().Known(), "B is still to come")
	c.Add(said(b, 0, 7))
	require.Equal(t, second(7), c.Now())
	c.Expect(a)
	require.Equal(t, second(7), c.Now(), "it has ended")
	c.Add(flow.Ends(b))
	require.Equal(t, flow.Forever, c.Now())
}

func TestASourceThatDoesNotSayHowManyPartsItHasHoldsTheClockBackToItsEnd(t *testing.T) {
	a := &flow.Origin{Name: "A"}
	var c flow.EventClock
	c.Add(said(a, 0, 10))
	c.Add(lastOf(a, 0))
	require.False(t, c.Now().Known(), "another part may come")
	c.Add(flow.Ends(a))
	require.Equal(t, flow.Forever, c.Now())
}

func TestPartsInTheOrderOfEventTimeDoNotWaitForThoseThatHaveNotBegun(t *testing.T) {
	a, b := readingOf("A", flow.Parts{Count: 3, Ordered: true}), readingOf("B", flow.Parts{Count: 1})
	var c flow.EventClock
	c.Add(flow.Begins(a))
	c.Add(said(b, 0, 100))
	require.False(t, c.Now().Known())
	c.Add(said(a, 0, 10))
	require.Equal(t, second(10), c.Now())
	c.Add(said(a, 1, 30))
	require.Equal(t, second(10), c.Now(), "part 0 is open")
	c.Add(lastOf(a, 0))
	require.Equal(t, second(30), c.Now())
	c.Add(lastOf(a, 1))
	require.Equal(t, second(30), c.Now(), "what is still to come is not before that")
	c.Add(said(a, 2, 0))
	require.Equal(t, second(30), c.Now())
	c.Add(lastOf(a, 2))
	require.Equal(t, second(100), c.Now())
}

func TestAStreamThatIsReadAgainForYearsKeepsNoMemoryOfIt(t *testing.T) {
	var c flow.EventClock
	next := &flow.Origin{Name: "next"}
	c.Add(flow.Begins(next))
	for range 5000 {
		o := readingOf("A", flow.Parts{Count: 1})
		c.Add(said(o, 0, 5))
		c.Add(flow.Ends(o))
	}
	require.LessOrEqual(t, c.Remembered(), 1001, "of each a little, to know that it has ended")
	require.False(t, c.Now().Known())
}

func TestTheClockIsWhatItsDefinitionSays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var sources []*flow.Origin
		parts := map[*flow.Origin]int{}
		for i := range rapid.IntRange(1, 4).Draw(rt, "sources") {
			o := &flow.Origin{Name: fmt.Sprint(i)}
			parts[o] = rapid.IntRange(1, 6).Draw(rt, "parts")
			if rapid.IntRange(0, 4).Draw(rt, "says") > 0 {
				o.SetParts(flow.Parts{Count: parts[o], Ordered: rapid.Bool().Draw(rt, "ordered")})
			}
			sources = append(sources, o)
		}
		var c flow.EventClock
		var model timetest.Clock
		for range rapid.IntRange(0, 80).Draw(rt, "steps") {
			o := rapid.SampledFrom(sources).Draw(rt, "source")
			var a flow.Advance
			switch rapid.IntRange(0, 20).Draw(rt, "what") {
			case 0:
				a = flow.Begins(o)
			case 1:
				a = flow.Ends(o)
			case 2:
				a = flow.Advance{Position: flow.Position{Range: -1}}
			case 3, 4, 5:
				a = lastOf(o, rapid.IntRange(0, parts[o]-1).Draw(rt, "part"))
			default:
				a = said(o, rapid.IntRange(0, parts[o]-1).Draw(rt, "part"), rapid.IntRange(0, 50).Draw(rt, "at"))
			}
			before := c.Now()
			c.Add(a)
			model.Add(a)
			require.False(rt, c.Now().Before(before), "it has gone back")
			require.Equal(rt, model.Now(), c.Now(), "behind %+v", a)
		}
		for _, o := range sources {
			c.Add(flow.Ends(o))
		}
		require.Equal(rt, flow.Forever, c.Now())
	})
}

// BenchmarkEventClock adds a page of each of many parts in turn.
func BenchmarkEventClock(b *testing.B) {
	for _, parts := range []int{1, 64, 1024} {
		b.Run(fmt.Sprint(parts), func(b *testing.B) {
			o := readingOf("A", flow.Parts{Count: parts})
			var c flow.EventClock
			for part := range parts {
				c.Add(said(o, part, 1))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.Add(said(o, i*7919%parts, 1+i/parts))
			}
		})
	}
}
