package schema

import (
	"cmp"
	"slices"
	"strings"
)

// maxNear bounds how many names an error proposes.
const maxNear = 3

// Near returns those of names that may have been meant by name, the likeliest first: names that
// differ only in case, then those with few letters wrong, missing or swapped. It is for errors that
// end in "did you mean …".
func Near(name string, names []string) []string {
	type scored struct {
		name     string
		distance int
	}
	var near []scored
	limit := 1 + len(name)/4
	for _, candidate := range names {
		d := distance(strings.ToLower(name), strings.ToLower(candidate))
		if d <= limit && candidate != name {
			near = append(near, scored{candidate, d})
		}
	}
	slices.SortFunc(near, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	found := make([]string, 0, maxNear)
	for _, n := range near[:min(len(near), maxNear)] {
		found = append(found, n.name)
	}
	return found
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that make b of a.
func distance(a, b string) int {
	before, last, row := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, make([]int, len(b)+1)
	}
	return last[len(b)]
}

// Meant is the end of an error that proposes names, as they must be written, or nothing.
func Meant(name string, names []string) string {
	near := Near(name, names)
	if len(near) == 0 {
		return ""
	}
	for i, n := range near {
		near[i] = Spell(n)
	}
	return "; did you mean " + strings.Join(near, " or ") + "?"
}
