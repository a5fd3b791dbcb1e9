package operators

import (
	"context"
	"fmt"

	"github.com/rxcql/rxcql/flow"
)

// keptRows are the rows of one key on the right, as far as they have come, whose pages may be gone.
type keptRows[R, K any] struct {
	key         K
	rows        []R
	bytes       int64
	open        bool // more may come from the right
	used        bool // pairs that wait to be handed on are made of them
	reservation *flow.Reservation
	behind      flow.Advances // how far parts of these rows have come, to be said when they have gone
}

// keepRows keeps rows of the page at hand on the right. open says that more may follow.
func (j *mergeJoining[L, R, K]) keepRows(key K, rows []R, open bool) error {
	if j.kept == nil {
		j.kept = &keptRows[R, K]{key: j.left.keep(key), open: open, reservation: j.account.Reservation()}
	}
	k := j.kept
	var bytes int64
	for i := range rows {
		row := j.keep(rows[i])
		bytes += int64(j.size(&row))
		k.rows = append(k.rows, row)
	}
	if k.bytes += bytes; k.bytes > j.bytes {
		return j.st.Fail(fmt.Errorf("%w: %d rows on the right take %d bytes; give JoinBytes more, or put the side with fewer rows of a key on the right",
			ErrJoinFull, len(k.rows), k.bytes))
	}
	k.reservation.Take(j.right.page, bytes)
	j.right.away += bytes
	k.behind.Add(j.right.page.Advance().Hushed())
	return nil
}

// joinKept goes on with the key whose rows are kept. more says that it can go on.
func (j *mergeJoining[L, R, K]) joinKept(ctx context.Context) (more bool, err error) {
	k := j.kept
	if k.open {
		return j.gather()
	}
	if !j.left.has() {
		if j.left.over {
			return true, j.letGo(ctx)
		}
		return false, nil
	}
	same, err := hasKey(&j.inStep, j.left, k.key, j.compare)
	switch {
	case err != nil:
		return false, err
	case !same:
		return true, j.letGo(ctx)
	}
	return true, j.pairs(ctx, k.rows)
}

// gather keeps further rows of the key.
func (j *mergeJoining[L, R, K]) gather() (more bool, err error) {
	k := j.kept
	if !j.right.has() {
		switch {
		case !j.right.over:
			return false, nil
		case j.right.stopped: // nobody knows whether these are all
			j.st.Abandon(k.reservation)
			j.kept = nil
			return true, nil
		}
		k.open = false
		return true, nil
	}
	first := j.right.next
	for {
		same, err := hasKey(&j.inStep, j.right, k.key, j.compare)
		if err != nil {
			return false, err
		}
		if !same {
			break
		}
		j.right.pass()
	}
	if j.right.has() {
		k.open = false
	}
	if j.right.next == first {
		return true, nil
	}
	return true, j.keepRows(k.key, j.right.list[first:j.right.next], k.open)
}

// letGo hands on the pairs of the key, and then what was held back until they had gone.
func (j *mergeJoining[L, R, K]) letGo(ctx context.Context) error {
	if err := j.flush(ctx); err != nil {
		return err
	}
	k := j.kept
	j.kept = nil
	if j.left.stopped && !j.left.has() { // rows on the left may not have come
		j.st.Abandon(k.reservation)
		return nil
	}
	err := flow.Tell(ctx, j.account, &k.behind, j.out)
	k.reservation.Finish(err)
	return err
}

// shareKept gives the receipts of the rows that are kept to pairs that are made of them.
func (j *mergeJoining[L, R, K]) shareKept(to *flow.Reservation) {
	if k := j.kept; k != nil && k.used {
		to.Take(k.reservation, 0)
		k.used = false
	}
}

// sayOrKeep hands on how far a part has come, unless rows of it are kept.
func (j *mergeJoining[L, R, K]) sayOrKeep(ctx context.Context, of *atHand, said flow.Advance) error {
	if j.kept != nil && of == j.right.atHand && j.kept.behind.HoldBack(said.PartID()) {
		j.kept.behind.Add(said)
		return nil
	}
	return j.say(ctx, of, said)
}
