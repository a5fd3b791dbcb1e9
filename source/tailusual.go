package source

import (
	"cmp"
	"slices"
	"time"
)

// usualPolls is what the latest polls of a tail took, which says what is usual.
type usualPolls struct {
	of   [12]pollTook
	next int
}

// pollTook is what a poll took, from its beginning to that of the next one.
type pollTook struct {
	silence time.Duration // the longest time without an answer
	all     time.Duration // less the time of attempts that failed
}

func (u *usualPolls) add(took pollTook) {
	u.of[u.next] = took
	u.next = (u.next + 1) % len(u.of)
}

// has reports whether a poll with requests that failed is like others:
//   - It was about as long without an answer as two of the latest polls. One outage does not make
//     another usual.
//   - What failed took no longer than two polls usually take without that. Where these are quick,
//     not even outages that follow each other are usual.
func (u *usualPolls) has(heard *tailHeard) bool {
	polls := u.of
	slices.SortFunc(polls[:], func(a, b pollTook) int { return cmp.Compare(b.silence, a.silence) })
	second := polls[1].silence
	slices.SortFunc(polls[:], func(a, b pollTook) int { return cmp.Compare(b.all, a.all) })
	half := polls[len(polls)/2].all
	return heard.failing <= second+second/10 && heard.lost <= 2*half // pauses between attempts are random
}
