package rxcql_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func threeRows() rxcql.Stream[int] {
	return (&jobtest.Parts[int]{PageRows: 2, Rows: [][]int{{1, 2, 3}}}).Stream()
}

// origins are the sources that pages of a stream say they are of.
func origins(t *testing.T, s rxcql.Stream[int]) (found []*flow.Origin) {
	t.Helper()
	rows := map[*flow.Origin]int{}
	looking := rxcql.Lift(s, rxcql.StageInfo{Name: "looking"}, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		return seeing{out, func(p *flow.Page[int]) {
			require.NotNil(t, p.Source)
			if p.Range == flow.AllParts {
				return
			}
			if _, known := rows[p.Source]; !known {
				found = append(found, p.Source)
			}
			rows[p.Source] += len(p.Rows)
		}}
	})
	_, err := looking.Collect(t.Context())
	require.NoError(t, err)
	for _, o := range found {
		require.Equal(t, 3, rows[o], "rows of one reading of one source")
	}
	return found
}

// named is an origin without what it knows of its parts.
type named struct {
	name    string
	number  int
	several bool
}

func namesOf(origins []*flow.Origin) (all []named) {
	for _, o := range origins {
		all = append(all, named{o.Name, o.Number, o.Several})
	}
	return all
}

type seeing struct {
	flow.Observer[int]
	see func(p *flow.Page[int])
}

func (s seeing) Next(ctx context.Context, p *flow.Page[int]) error {
	s.see(p)
	return s.Observer.Next(ctx, p)
}

func TestPagesSayWhichSourceTheyAreOf(t *testing.T) {
	alone := origins(t, threeRows())
	require.Equal(t, []named{{"Parts", 0, false}}, namesOf(alone))

	merged := origins(t, operators.Merge(threeRows(), operators.Map(threeRows(), func(n int) (int, error) { return n, nil })))
	require.ElementsMatch(t, []named{{"Parts", 0, true}, {"Parts 2", 1, true}}, namesOf(merged))
}

func TestPagesThatOweNothingSayTheirSourceToo(t *testing.T) {
	rows := source.FromObservable[int](rxgo.Just(1, 2, 3)()) // its last page has neither rows nor a receipt
	require.Equal(t, []named{{"FromObservable", 0, false}}, namesOf(origins(t, rows)))
}

func TestAnObservableThatClosesEndsItsPart(t *testing.T) {
	var ends []bool
	rows := rxcql.Lift(source.FromObservable[int](rxgo.Just(1, 2, 3)()), rxcql.StageInfo{Name: "looking"},
		func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
			return seeing{out, func(p *flow.Page[int]) { ends = append(ends, p.Last) }}
		})
	got, err := rows.Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 3}, got)
	require.True(t, ends[len(ends)-1])
	require.NotContains(t, ends[:len(ends)-1], true)
}

func TestASourceThatIsReadTwiceInARunHasTwoOrigins(t *testing.T) {
	s := source.Seq(func(yield func(int, error) bool) {
		for n := range 3 {
			if !yield(n, nil) {
				return
			}
		}
	})
	twice := origins(t, operators.Merge(s, s))
	require.Len(t, twice, 2)
	require.NotSame(t, twice[0], twice[1])
	parts := map[flow.PartID]bool{{Source: twice[0]}: true, {Source: twice[1]}: true}
	require.Len(t, parts, 2, "equal ranges of them are two parts")
	require.Equal(t, twice[0].Name, twice[1].Name)
}

// oneAfterTheOther reads streams in turn, as an operator of a user's may.
func oneAfterTheOther(ins ...rxcql.Stream[int]) rxcql.Stream[int] {
	upstream := make([]rxcql.AnyStream, len(ins))
	for i, in := range ins {
		upstream[i] = in
	}
	return rxcql.NewStream(rxcql.StageInfo{Name: "OneAfterTheOther"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		for _, in := range ins {
			if err := in.Subscribe(ctx, st, withoutDone{out}); err != nil {
				return err
			}
		}
		return out.Done(ctx, false)
	}, upstream...)
}

type withoutDone struct{ flow.Observer[int] }

func (withoutDone) Done(context.Context, bool) error { return nil }

func TestGroupsOfTwoSourcesAreNotTakenForOneSinceTheirRangesHaveOneNumber(t *testing.T) {
	rows := oneAfterTheOther(operators.Take(threeRows(), 2), threeRows()) // the first part does not end
	groups := operators.GroupAdjacent(rows, func(int) string { return "all" }, func() int { return 0 }, func(sum, n int) (int, error) { return sum + n, nil })
	got, err := groups.Collect(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, []operators.Group[string, int]{{Key: "all", Value: 3, Rows: 2}, {Key: "all", Value: 6, Rows: 3}}, got)
}

func TestWhereSeveralSourcesAreReadARowsPlaceNamesItsOwn(t *testing.T) {
	errBad := errors.New("bad")
	fails := func(n int) (int, error) {
		if n == 3 {
			return 0, errBad
		}
		return n, nil
	}
	letters := &jobtest.Letters{}
	both := operators.Merge(threeRows(), threeRows())
	rep, err := operators.Map(both, fails).ForEach(t.Context(), func(int) error { return nil },
		rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.NoError(t, err)
	var places []string
	for _, l := range letters.All {
		places = append(places, l.Range)
	}
	require.ElementsMatch(t, []string{"(0, 1] of Parts", "(0, 1] of Parts 2"}, places)
	require.Equal(t, "(0, 1] of Parts", rep.RowErrors[0].Range, "the first source's row is the first, whichever came first")

	_, err = operators.Map(threeRows(), fails).Collect(t.Context())
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.Equal(t, "(0, 1]", row.Range, "one source needs no name")
}

func TestThePlaceOfARowThatASourceCannotReadNamesTheSource(t *testing.T) {
	var files []rxcql.Stream[person]
	for _, name := range []string{"one.ndjson", "two.ndjson"} {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte("{\"name\":\"Ada\"}\nnot JSON\n"), 0o600))
		files = append(files, source.NDJSON[person](path))
	}
	letters := &jobtest.Letters{}
	rep, err := operators.Merge(files...).ForEach(t.Context(), func(person) error { return nil }, rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.NoError(t, err)
	var places []string
	for _, l := range letters.All {
		places = append(places, l.Range)
	}
	require.ElementsMatch(t, []string{"all of " + rep.Stages[0].Name, "all of " + rep.Stages[1].Name}, places)
}

func TestAPageThatIsNotSettledIsNamedWithItsSource(t *testing.T) {
	in := operators.Merge(keeper(inParts(), "Hands on", -1, nil), keeper(inParts(), "Forgets", 11, func(*flow.Reservation) {}))
	_, err := in.Count(t.Context())
	var unsettled *rxcql.UnsettledError
	require.ErrorAs(t, err, &unsettled)
	require.Equal(t, "(9, 9223372036854775807] of Own 2", unsettled.Part)
}

func TestAnOperatorMayBeASourceOfItsOwn(t *testing.T) {
	again := func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.Rx[int, int](in, func(o rxgo.Observable) rxgo.Observable { return o })
	}
	require.Equal(t, []named{{"Rx", 1, false}}, namesOf(origins(t, again(threeRows()))))
	require.ElementsMatch(t, []named{{"Rx", 1, true}, {"Parts 2", 2, true}},
		namesOf(origins(t, operators.Merge(again(threeRows()), threeRows()))))
}
