package sink_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
)

func TestAListIsWrittenOnlyIfTheTableHasNoNewerOne(t *testing.T) {
	list := func(text string) (all [][]byte) {
		for _, r := range text {
			all = append(all, []byte(string(r)))
		}
		return all
	}
	for name, tc := range map[string]struct {
		runs        []string // of the source, whose newest element is of 100
		held        string
		at          int64
		divided     bool // the runs go into several requests
		write, left bool
	}{
		"the table has none":                           {runs: []string{"abc"}, write: true},
		"an older one is replaced":                     {runs: []string{"abc"}, held: "xy", at: 99, write: true},
		"an older one that is equal too":               {runs: []string{"abc"}, held: "abc", at: 99, write: true},
		"a newer one stays":                            {runs: []string{"abc"}, held: "xy", at: 101, left: true},
		"another one of the same time stays":           {runs: []string{"abc"}, held: "xy", at: 100, left: true},
		"it is there already":                          {runs: []string{"abc"}, held: "abc", at: 150},
		"it is there with times that lie ahead":        {runs: []string{"abc"}, held: "abc", at: 100},
		"a newer and shorter one stays":                {runs: []string{"abc"}, held: "ab", at: 101, left: true},
		"a newer and longer one stays":                 {runs: []string{"ab", "c"}, held: "abcd", at: 101, left: true},
		"several runs are there":                       {runs: []string{"ab", "c"}, held: "abc", at: 150},
		"an attempt ended between requests":            {runs: []string{"ab", "c"}, held: "ab", at: 150, divided: true, write: true},
		"a writer made it shorter":                     {runs: []string{"ab", "c"}, held: "ab", at: 150, left: true},
		"a newer one that ends within a run stays":     {runs: []string{"ab", "cd"}, held: "abc", at: 150, divided: true, left: true},
		"the table has one, and all has expired here":  {held: "ab", at: 150, left: true},
		"before 1970 an older one is replaced as well": {runs: []string{"abc"}, held: "xy", at: math.MinInt64 + 1, write: true},
	} {
		t.Run(name, func(t *testing.T) {
			var runs [][][]byte
			for _, r := range tc.runs {
				runs = append(runs, list(r))
			}
			write, left := sink.ListVerdict(runs, 100, list(tc.held), tc.at, tc.divided)
			require.Equal(t, tc.write, write)
			require.Equal(t, tc.left, left)
		})
	}
}

func TestOnlyListsOfManyRunsOrBytesMayHaveBeenSentInSeveralRequests(t *testing.T) {
	for _, tc := range []struct {
		runs, run, key int
		divided        bool
	}{
		{runs: 2, run: 10, key: 10},
		{runs: 400, run: 100, key: 10},
		{runs: 1001, run: 10, key: 10, divided: true},
		{runs: 3, run: 1 << 19, key: 10, divided: true},
		{runs: 60, run: 10, key: 20_000, divided: true},
	} {
		require.Equal(t, tc.divided, sink.ListsMayBeDivided(tc.runs, tc.run, tc.key), "%+v", tc)
	}
}

func TestAListFromLongBefore1970IsNotWrittenTwiceAtOneTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[int64]bool{}
		for range 3 {
			row := rowOf(joinCells(key(1), at("l", "list<int>", []int32{7}, []int64{math.MinInt64 + 1}, nil))...)
			server, _ := writeTimed(t, []rxcql.Row{row})
			last := server.writes()[len(server.writes())-1]
			require.False(t, seen[last.Time])
			seen[last.Time] = true
			time.Sleep(time.Second)
		}
	})
}

func TestStaticColumnsThatFailWithOneRowComeWithTheNext(t *testing.T) {
	var rows []rxcql.Row
	for c := range int32(3) {
		written := any(int64(50))
		if c == 0 {
			written = nil // it has a value and no write time
		}
		rows = append(rows, rowOf(joinCells(key(c), at("s", "text", "S", written, nil), at("a", "text", "A", int64(100), nil))...))
	}
	// The same static columns, which cannot be written, come with each row: no row may hide them.
	bad := rowOf(joinCells(key(3), at("s", "text", "S", nil, nil), at("a", "text", "A", int64(100), nil))...)
	for _, more := range [][]rxcql.Row{rows, {rows[0], bad}} {
		server := &timedRecorder{}
		rep, err := run(t, sequence(more...), sink.TableOnTimed(server.send, timedTable(), sink.Times()), rxcql.WithRowErrors(rxcql.SkipRows(10)))
		require.NoError(t, err)
		if len(more) == 2 {
			require.Zero(t, rep.Written, "both rows failed, and none was written without its static columns")
			continue
		}
		require.EqualValues(t, 2, rep.Written)
		statics := 0
		for _, w := range server.writes() {
			if w.CQL == `UPDATE "ks"."t" USING TIMESTAMP ? AND TTL ? SET "s"=? WHERE "p"=?` {
				statics++
			}
		}
		require.Equal(t, 1, statics)
	}
}
