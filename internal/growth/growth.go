// Package growth decides when states that rows are folded into are measured again: seldom enough
// that it costs a constant part of each fold, however large they are, and often enough that what
// they take is known to about a quarter.
package growth

import "math"

const (
	// leastGrowth is how much states are taken to grow at least, for each byte of the rows that are
	// folded into them.
	leastGrowth = 0.5
	// firstMeasure and lastMeasure are how many bytes states may have grown by, as far as is known,
	// before they are measured again: the first time, and at most while they are small.
	firstMeasure = 4 << 10
	lastMeasure  = 1 << 20
)

// Growth is how much states may have grown since they were measured. What a fold adds to its state
// is seldom more than its row. Where it is more, that is seen when the states are measured.
type Growth struct {
	folded, next float64
	measured     int // how often that was done
}

// New returns the Growth of states that are about to be made.
func New() Growth { return Growth{next: firstMeasure} }

// Fold notes that a row of so many bytes has been folded into a state that was measured. It reports
// whether all are to be measured now.
func (g *Growth) Fold(bytes int) (measure bool) {
	g.folded += float64(bytes)
	return g.folded >= g.next
}

// Folded reports whether anything has been folded since the states were measured.
func (g *Growth) Folded() bool { return g.folded > 0 }

// Measured notes what all states take now, and decides when to measure again: when they may have
// grown by a quarter. before is what they were taken to have.
func (g *Growth) Measured(before, now int64) {
	growth := leastGrowth
	if g.folded > 0 {
		growth = max(growth, float64(now-before)/g.folded)
	}
	g.measured++
	small := math.Min(lastMeasure, math.Ldexp(firstMeasure, g.measured))
	g.folded, g.next = 0, max(float64(now)/4, small)/growth
}
