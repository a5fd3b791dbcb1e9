package operators

import (
	"context"

	"github.com/rxcql/rxcql"
)

// mergeJoining is one run of MergeJoin.
type mergeJoining[L, R, K any] struct {
	*stepping[rxcql.Pair[L, R]]
	mergeJoinConfig
	left    *keyed[L, K]
	right   *keyed[R, K]
	compare func(a, b K) int
	size    func(*R) int
	keep    func(R) R

	kept  *keptRows[R, K] // nil while none are kept
	alone int             // rows that were dropped since the last page
}

// join joins the rows at hand, until a side has none and may yet bring one.
func (j *mergeJoining[L, R, K]) join(ctx context.Context) error {
	for {
		if j.room() <= 0 {
			if err := j.flush(ctx); err != nil {
				return err
			}
		}
		var more bool
		var err error
		if j.kept != nil {
			more, err = j.joinKept(ctx)
		} else {
			more, err = j.joinNext(ctx)
		}
		if err != nil || !more {
			return err
		}
	}
}

// joinNext deals with the rows at hand where none are kept. more says that it can go on.
func (j *mergeJoining[L, R, K]) joinNext(ctx context.Context) (more bool, err error) {
	l, r := j.left.has(), j.right.has()
	switch {
	case !l && !j.left.over, !r && !j.right.over, !l && !r:
		return false, nil
	case !l && j.left.stopped:
		giveUp(&j.inStep, j.right)
		return false, nil
	case !r && j.right.stopped:
		giveUp(&j.inStep, j.left)
		return false, nil
	}
	order := 0
	if l {
		order = -1
		err = j.left.look(&j.inStep, j.compare)
	}
	if r && err == nil {
		order++
		err = j.right.look(&j.inStep, j.compare)
	}
	if err != nil {
		return false, err
	}
	if l && r {
		order = j.compare(j.left.now, j.right.now)
	}
	switch {
	case order < 0:
		j.leftAlone()
		return true, nil
	case order > 0:
		j.rightAlone()
		return true, nil
	}
	return true, j.match(ctx)
}

func (j *mergeJoining[L, R, K]) leftAlone() {
	if j.mergeJoinConfig.left {
		j.made = append(j.made, rxcql.Pair[L, R]{Left: j.left.row(), HasLeft: true})
	} else {
		j.alone++
	}
	j.left.pass()
}

func (j *mergeJoining[L, R, K]) rightAlone() {
	if j.mergeJoinConfig.right {
		j.made = append(j.made, rxcql.Pair[L, R]{Right: j.right.row(), HasRight: true})
	} else {
		j.alone++
	}
	j.right.pass()
}

// match joins the rows at hand, whose keys are equal. If it is not certain that the pages at hand
// have all rows of the key, those of the right side are kept.
func (j *mergeJoining[L, R, K]) match(ctx context.Context) error {
	key, first := j.left.now, j.right.next
	for {
		j.right.pass()
		same, err := hasKey(&j.inStep, j.right, key, j.compare)
		if err != nil {
			return err
		}
		if !same {
			break
		}
	}
	rows := j.right.list[first:j.right.next]
	if !j.right.has() {
		return j.keepRows(key, rows, true)
	}
	for {
		if err := j.pairs(ctx, rows); err != nil {
			return err
		}
		if !j.left.has() {
			return j.keepRows(j.left.now, rows, false)
		}
		same, err := hasKey(&j.inStep, j.left, key, j.compare)
		if err != nil || !same {
			return err
		}
	}
}

// giveUp is abandon for a side.
func giveUp[T, K any](s *inStep, side *keyed[T, K]) {
	s.abandon(side.atHand)
	side.now, side.known = side.keep(side.now), false
}

// hasKey reports whether the row at hand of a side has the key; false if there is none.
func hasKey[T, K any](s *inStep, side *keyed[T, K], key K, compare func(a, b K) int) (bool, error) {
	if !side.has() {
		return false, nil
	}
	if err := side.look(s, compare); err != nil {
		return false, err
	}
	return compare(side.now, key) == 0, nil
}

// pairs makes a pair of the row at hand on the left with each of those on the right, and goes on to
// the next on the left. It does so first: then the row has its bytes with it if pairs are handed on
// in between.
func (j *mergeJoining[L, R, K]) pairs(ctx context.Context, rows []R) error {
	left := j.left.row()
	j.left.pass()
	for i := range rows {
		j.made = append(j.made, rxcql.Pair[L, R]{Left: left, Right: rows[i], HasLeft: true, HasRight: true})
		j.left.used = true
		if j.kept != nil {
			j.kept.used = true
		} else {
			j.right.used = true
		}
		if j.room() <= 0 {
			if ctx.Err() != nil { // one key may make any number of pairs
				return context.Cause(ctx)
			}
			if err := j.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// handOnPairs hands on what has been made, and counts what was dropped.
func (j *mergeJoining[L, R, K]) handOnPairs(ctx context.Context) error {
	if j.alone > 0 {
		j.st.CountDropped(j.alone)
		j.alone = 0
	}
	return j.handOn(ctx)
}
