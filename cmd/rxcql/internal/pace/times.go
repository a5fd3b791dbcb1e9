package pace

import (
	"math"
	"math/bits"
	"time"
)

// times counts how long requests took, in classes whose width is an eighth of their value, so a
// percentile is at most 12.5 % too high.
type times struct {
	counts [64 * perDouble]int
	n      int
}

// perDouble is how many classes there are from a time to twice that time.
const perDouble = 8

func class(d time.Duration) int {
	n := uint64(max(d.Microseconds(), 0))
	if n < perDouble {
		return int(n)
	}
	top := bits.Len64(n) - 1 // n is from 2^top
	return (top-2)*perDouble + int(n>>(top-3))&(perDouble-1)
}

// upper returns the longest time of a class.
func upper(class int) time.Duration {
	if class < perDouble {
		return time.Duration(class) * time.Microsecond
	}
	top := class/perDouble + 2
	width := uint64(1) << (top - 3)
	return time.Duration((uint64(1)<<top)+uint64(class%perDouble+1)*width-1) * time.Microsecond
}

func (t *times) add(d time.Duration) {
	t.counts[class(d)]++
	t.n++
}

// percentile returns the time that so much of all requests took at most, p from 0 to 1.
func (t *times) percentile(p float64) time.Duration {
	need := int(math.Ceil(p * float64(t.n)))
	for class, n := range t.counts {
		if need -= n; need <= 0 && n > 0 {
			return upper(class)
		}
	}
	return 0
}
