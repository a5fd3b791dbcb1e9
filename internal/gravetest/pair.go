package gravetest

import (
	"math/rand/v2"
	"testing"

	"github.com/rxcql/rxcql/internal/ringtest"
)

// Pair makes two random tables, each on a server of its own. Many rows are on both sides, with the
// same value or with another one, and each side has tombstones of its own. Some rows have so many
// that they cannot be read.
func Pair(t *testing.T, seed uint64) (left, right *Table) {
	random := rand.New(rand.NewPCG(seed, 12))
	orders := Orders(random)
	left, right = empty(t, random, orders), empty(t, random, orders)
	both := []*Table{left, right}
	v := 0
	for p := range 1 + random.IntN(8) {
		k := ringtest.KeyOf(random.Int64()-random.Int64(), uint64(p))
		for _, g := range both {
			if random.IntN(4) == 0 {
				g.SetStatic(k)
			}
			for range random.IntN(12) {
				g.Bury(k)
			}
		}
		only := random.IntN(8) // 0 and 1: the partition is on one side only
		for range random.IntN(14) {
			row := left.place(k)
			v++
			for i, g := range both {
				if only == 1-i || only > 1 && random.IntN(4) == 0 {
					continue
				}
				value := v
				if random.IntN(5) == 0 {
					value += 1000 * (i + 1)
				}
				g.Put(row, value)
				if random.IntN(8) == 0 {
					g.BuryAt(row)
				}
			}
			if random.IntN(10) == 0 {
				both[random.IntN(2)].BuryAt(left.place(k))
			}
		}
	}
	return left, right
}

// Place is where a row is.
type Place struct {
	K string
	C int
	D string
}

// Places are the rows by where they are.
func (g *Table) Places() map[Place]int {
	all := map[Place]int{}
	for v, row := range g.Rows {
		all[row.Place()] = v
	}
	return all
}

// Place returns where the row is.
func (r Row) Place() Place { return Place{string(r.K), r.C, r.D} }

// Holes are the places of single rows that cannot be read, whether there is a row or not.
func (g *Table) Holes() map[Place]bool {
	all := map[Place]bool{}
	for _, grave := range g.Graves() {
		if g.Unreadable(grave) {
			all[grave.Place()] = true
		}
	}
	return all
}
