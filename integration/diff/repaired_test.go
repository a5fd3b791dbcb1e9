package diff_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/transfer"
)

// update is a statement of a planting that sets values.
func update(set string) string { return "UPDATE %s USING TIMESTAMP %d SET " + set + " WHERE %s" }

// deleted is a statement of a planting that deletes what is named.
func deleted(what string) string { return "DELETE " + what + " FROM %s USING TIMESTAMP %d WHERE %s" }

// repairable are differences that Repair with Bump and DeleteExtra puts right: nothing of them is
// newer on the target, or was deleted there.
var repairable = []planting{
	{name: "row that was never there", fresh: true, left: update("v = 'row', m = {'k': 1}, l = [1]"), cause: transfer.Missing},
	{name: "row that expires", fresh: true, left: "UPDATE %s USING TIMESTAMP %d AND TTL 90000 SET n = 1, e = {7} WHERE %s", cause: transfer.Missing},
	{name: "partition of statics", fresh: true, static: true, left: update("s = 'alone'"), cause: transfer.Missing},
	{name: "missing element of a map", left: update("m = m + {'k': 3}"), leftAt: 5, cause: transfer.Differing, column: "m", columnCause: transfer.Differing},
	{name: "missing element of a set", left: update("e = e + {3}"), cause: transfer.Differing, column: "e", columnCause: transfer.Differing},
	{name: "newer text", left: update("v = 'new'"), leftAt: 5, cause: transfer.Differing, column: "v", columnCause: transfer.Differing},
	{name: "newer element of a map", left: update("m['a'] = 9"), leftAt: 5, cause: transfer.Differing, column: "m", columnCause: transfer.Differing},
	{name: "newer field", left: update("u.b = 'new'"), leftAt: 5, cause: transfer.Differing, column: "u", columnCause: transfer.Differing},
	{name: "newer frozen list", left: update("f = [2, 1]"), leftAt: 5, cause: transfer.Differing, column: "f", columnCause: transfer.Differing},
	{name: "newer list", left: update("l = l + [3]"), leftAt: 5, cause: transfer.Differing, column: "l", columnCause: transfer.Differing},
	{name: "newer static", static: true, left: update("s = 'new'"), leftAt: 5, cause: transfer.Differing, column: "s", columnCause: transfer.Differing},
	{name: "extra row", fresh: true, right: update("v = 'extra', m = {'k': 1}"), rightAt: 5, cause: transfer.Extra},
	{name: "extra partition of statics", fresh: true, static: true, right: update("s = 'extra'"), rightAt: 5, cause: transfer.Extra},
	{name: "extra value", left: deleted("n"), cause: transfer.Extra, column: "n", columnCause: transfer.Extra},
	{name: "extra element of a map", right: update("m = m + {'x': 9}"), rightAt: 5, cause: transfer.Extra, column: "m", columnCause: transfer.Extra},
	{name: "extra element of a set", right: update("e = e + {9}"), rightAt: 5, cause: transfer.Extra, column: "e", columnCause: transfer.Extra},
	{name: "tie", left: update("n = 70"), right: update("n = 80"), leftAt: 9, rightAt: 9, cause: transfer.Tie, column: "n", columnCause: transfer.Tie},
	{name: "tie of an element", left: update("m['b'] = 7"), right: update("m['b'] = 8"), leftAt: 9, rightAt: 9, cause: transfer.Tie, column: "m", columnCause: transfer.Tie},
	{name: "tie of statics", static: true, left: update("s = 'a'"), right: update("s = 'b'"), leftAt: 9, rightAt: 9, cause: transfer.Tie, column: "s", columnCause: transfer.Tie},
	{name: "write time", times: true, leftAt: 5, cause: transfer.Differing, column: "n", columnCause: transfer.Differing},
	{
		name: "expiry", times: true, left: "UPDATE %s USING TIMESTAMP %d AND TTL 90000 SET v = 'x' WHERE %s", right: update("v = 'x'"),
		leftAt: 5, rightAt: 5, cause: transfer.Tie, column: "v", columnCause: transfer.Tie,
	},
}

func TestTransferOverAHundredPlantedDifferencesAreFoundAndRepairedAndThenDiffIsSilent(t *testing.T) {
	for name, times := range map[string]bool{"values": false, "values and times": true} {
		t.Run(name, func(t *testing.T) {
			ts := makeTables(t)
			want := ts.plantEach(t, repairable, times)
			require.Greater(t, len(want), 100)
			var compare []transfer.DiffOption
			repair := []transfer.RepairOption{transfer.DeleteExtra(), transfer.Bump()}
			if times {
				compare, repair = append(compare, transfer.WithTimes()), append(repair, transfer.WithTimes())
			}
			first, folder := ts.diff(t, compare...)
			same(t, want, found(t, folder))
			require.EqualValues(t, len(want), first.Differences())

			report, outcomes := ts.repair(t, differences(folder), repair...)
			require.Len(t, outcomes, len(want))
			for place, o := range outcomes {
				require.Equal(t, transfer.Repaired, o.Result, "%s: %v %v", place, want[place], o)
			}
			require.True(t, report.Repaired(), report.String())
			again, _ := ts.diff(t, compare...)
			require.True(t, again.Equal(), again.String())
			require.Equal(t, again.SourceRows, again.TargetRows)
			require.Zero(t, again.Candidates, "not even at first")
		})
	}
}
