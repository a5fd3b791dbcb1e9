package pace

import "time"

// Percentile is for tests of this folder.
func Percentile(p float64, all ...time.Duration) time.Duration {
	var seen times
	for _, d := range all {
		seen.add(d)
	}
	return seen.percentile(p)
}
