package diff_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/transfer"
)

// planting is a kind of difference: what is done to the two tables, and what it is called.
type planting struct {
	name          string
	left, right   string // statements, with the time and the WHERE left open; empty for none
	cause         transfer.Cause
	column        string // empty for the whole row
	columnCause   transfer.Cause
	static, times bool
	fresh         bool  // the row, or the partition, is on neither side before
	leftAt        int64 // microseconds after base
	rightAt       int64
}

var plantings = []planting{
	{name: "missing row", right: "DELETE FROM %s USING TIMESTAMP %d WHERE %s", cause: transfer.Missing},
	{name: "extra row", left: "DELETE FROM %s USING TIMESTAMP %d WHERE %s", cause: transfer.Extra},
	{name: "older on the target", left: "UPDATE %s USING TIMESTAMP %d SET v = 'new' WHERE %s", leftAt: 5, cause: transfer.Differing, column: "v", columnCause: transfer.Differing},
	{name: "newer on the target", right: "UPDATE %s USING TIMESTAMP %d SET v = 'new' WHERE %s", rightAt: 5, cause: transfer.Newer, column: "v", columnCause: transfer.Newer},
	{
		name: "tie", left: "UPDATE %s USING TIMESTAMP %d SET n = 70 WHERE %s", right: "UPDATE %s USING TIMESTAMP %d SET n = 80 WHERE %s",
		leftAt: 9, rightAt: 9, cause: transfer.Tie, column: "n", columnCause: transfer.Tie,
	},
	{name: "missing value", right: "DELETE n FROM %s USING TIMESTAMP %d WHERE %s", cause: transfer.Differing, column: "n", columnCause: transfer.Missing},
	{name: "extra value", left: "DELETE n FROM %s USING TIMESTAMP %d WHERE %s", cause: transfer.Extra, column: "n", columnCause: transfer.Extra},
	{name: "missing element of a map", right: "DELETE m['a'] FROM %s USING TIMESTAMP %d WHERE %s", cause: transfer.Differing, column: "m", columnCause: transfer.Differing},
	{name: "extra element of a set", left: "DELETE e[2] FROM %s USING TIMESTAMP %d WHERE %s", cause: transfer.Extra, column: "e", columnCause: transfer.Extra},
	{name: "newer field on the target", right: "UPDATE %s USING TIMESTAMP %d SET u.b = 'y' WHERE %s", rightAt: 5, cause: transfer.Newer, column: "u", columnCause: transfer.Newer},
	{name: "frozen list", left: "UPDATE %s USING TIMESTAMP %d SET f = [2, 1] WHERE %s", leftAt: 5, cause: transfer.Differing, column: "f", columnCause: transfer.Differing},
	{name: "list", left: "UPDATE %s USING TIMESTAMP %d SET l = l + [3] WHERE %s", leftAt: 5, cause: transfer.Differing, column: "l", columnCause: transfer.Differing},
	{name: "write time", left: "UPDATE %s USING TIMESTAMP %d SET n = 3 WHERE %s", leftAt: 5, cause: transfer.Differing, column: "n", columnCause: transfer.Differing, times: true},
	{name: "expiry", left: "UPDATE %s USING TIMESTAMP %d AND TTL 90000 SET v = 'x' WHERE %s", right: "UPDATE %s USING TIMESTAMP %d SET v = 'x' WHERE %s", leftAt: 5, rightAt: 5, cause: transfer.Tie, column: "v", columnCause: transfer.Tie, times: true},
	{name: "static", left: "UPDATE %s USING TIMESTAMP %d SET s = 'new' WHERE %s", leftAt: 5, cause: transfer.Differing, column: "s", columnCause: transfer.Differing, static: true},
	{name: "missing static", right: "DELETE s FROM %s USING TIMESTAMP %d WHERE %s", cause: transfer.Missing, static: true},
}

// eachPlanted is how often each kind is planted.
const eachPlanted = 7

// plant makes differences of every kind, and returns what a Diff is to find, by the place.
func (ts *tables) plant(t *testing.T, withTimes bool) map[string]transfer.Difference {
	t.Helper()
	return ts.plantEach(t, plantings, withTimes)
}

// plantEach makes differences of some kinds, each in a row of its own (static ones each in a
// partition of their own), and returns what a Diff is to find, by the place.
func (ts *tables) plantEach(t *testing.T, kinds []planting, withTimes bool) map[string]transfer.Difference {
	t.Helper()
	want := map[string]transfer.Difference{}
	statics := 0
	for k, kind := range kinds {
		if kind.times && !withTimes {
			continue
		}
		for i := range eachPlanted {
			n := k*eachPlanted + i // rows are far fewer than there are
			p, c := n%partitions, (n/partitions)*4+1
			if kind.fresh {
				c += 100
			}
			where, place := at(p, c), fmt.Sprintf("%d/%d", p, c)
			if kind.static {
				p = statics
				if kind.fresh {
					p += 1000
				}
				statics++
				where, place = fmt.Sprintf("p = %d AND q = 'q'", p), fmt.Sprintf("%d", p)
			}
			if kind.name == "write time" {
				kind.left = fmt.Sprintf("UPDATE %%s USING TIMESTAMP %%d SET n = %d WHERE %%s", c)
			}
			if kind.left != "" {
				exec(t, ts.session, kind.left, ts.left, base+kind.leftAt, where)
			}
			if kind.right != "" {
				exec(t, ts.session, kind.right, ts.right, base+kind.rightAt, where)
			}
			d := transfer.Difference{Cause: kind.cause, Static: kind.static}
			if kind.column != "" {
				d.Columns = []transfer.ColumnDifference{{Name: kind.column, Cause: kind.columnCause}}
			}
			want[place] = d
		}
	}
	require.GreaterOrEqual(t, len(want), 98)
	return want
}

// placeOf is the key of a difference as plant names it.
func placeOf(t *testing.T, d transfer.Difference) string {
	t.Helper()
	var key struct {
		P int    `json:"p"`
		Q string `json:"q"`
		C *int   `json:"c"`
	}
	require.NoError(t, json.Unmarshal(d.Key, &key))
	require.Equal(t, "q", key.Q)
	require.Equal(t, d.Static, key.C == nil, "a difference of static columns has the partition key alone")
	if key.C == nil {
		return fmt.Sprintf("%d", key.P)
	}
	return fmt.Sprintf("%d/%d", key.P, *key.C)
}

// same compares what is found with what is planted, place by place.
func same(t *testing.T, want, got map[string]transfer.Difference) {
	t.Helper()
	for place, d := range want {
		require.Equal(t, d, got[place], place)
	}
	for place := range got {
		require.Contains(t, want, place, "nothing else is found")
	}
}

// found reads what a Diff has found, by the place. Each place is there once.
func found(t *testing.T, folder string) map[string]transfer.Difference {
	t.Helper()
	all, err := transfer.Differences(folder).Collect(t.Context())
	require.NoError(t, err)
	got := map[string]transfer.Difference{}
	for _, d := range all {
		place := placeOf(t, d)
		require.NotContains(t, got, place, "a place is named once")
		d.Key = nil
		for i := range d.Columns { // the times are looked at elsewhere
			d.Columns[i] = transfer.ColumnDifference{Name: d.Columns[i].Name, Cause: d.Columns[i].Cause}
		}
		got[place] = d
	}
	return got
}
