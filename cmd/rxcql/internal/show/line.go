package show

import (
	"fmt"
	"strings"
	"time"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
)

// speed measures the rows a second of one table over the last few looks at it.
type speed struct {
	rows []int64
	at   []time.Time
}

// looks is over how many looks a rate is measured.
const looks = 10

// see notes how many rows there are now, and returns the rate; false as long as it is not known.
func (s *speed) see(rows int64, at time.Time) (float64, bool) {
	if n := len(s.rows); n > 0 && rows < s.rows[n-1] { // the next step of a job counts anew
		s.rows, s.at = nil, nil
	}
	s.rows, s.at = append(s.rows, rows), append(s.at, at)
	if len(s.rows) > looks {
		s.rows, s.at = s.rows[1:], s.at[1:]
	}
	took := at.Sub(s.at[0]).Seconds()
	if took <= 0 {
		return 0, false
	}
	return float64(rows-s.rows[0]) / took, true
}

// line says how far a table is: "42 %  1,200,000 rows, 310,000/s, 3m20s left, 2 retries".
func line(l fleet.Live, rate float64, known bool) string {
	var s strings.Builder
	if e := l.Now.Estimate; e.Known {
		fmt.Fprintf(&s, "%3d %%  ", e.Percent())
	} else {
		s.WriteString("  ? %  ")
	}
	fmt.Fprintf(&s, "%s rows", Thousands(l.Now.ReadRows+l.Now.ResumedRows))
	if known {
		fmt.Fprintf(&s, ", %s/s", Thousands(int64(rate)))
	}
	if e := l.Now.Estimate; e.LeftKnown && e.Fraction < 1 {
		fmt.Fprintf(&s, ", %v left", e.Left.Round(time.Second))
	}
	if l.Now.Retried > 0 {
		fmt.Fprintf(&s, ", %s retries", Thousands(l.Now.Retried))
	}
	if bad := l.Now.Skipped + l.Now.DeadLettered; bad > 0 {
		fmt.Fprintf(&s, ", %s bad rows", Thousands(bad))
	}
	return s.String()
}

// Thousands writes a number as people read it: 200,000.
func Thousands(n int64) string {
	digits := fmt.Sprint(n)
	var out strings.Builder
	for i, d := range digits {
		if left := len(digits) - i; i > 0 && left%3 == 0 && digits[i-1] != '-' {
			out.WriteByte(',')
		}
		out.WriteRune(d)
	}
	return out.String()
}
