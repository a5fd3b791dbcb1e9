package sink_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// whetherDeleted picks the second sink for deletes.
func whetherDeleted(c changed) int {
	if c.Deleted {
		return 1
	}
	return 0
}

func TestTwoSinksOfARouteThatWriteOneTableApplyAFeedOfChanges(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	second, _ := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+changedColumns)
	feed, left := hundred()
	put := func(opts ...sink.TableOption) rxcql.Sink[changed] {
		return sink.Table[changed](session, ks+".t", opts...)
	}
	same := func(in rxcql.Stream[changed]) rxcql.Stream[changed] { return in }
	nothing := sink.Each(func(context.Context, changed) error { return nil })
	for name, to := range map[string]rxcql.Sink[changed]{
		"one session": sink.Route(whetherDeleted, put(), put(sink.Delete())),
		"two sessions": sink.Route(whetherDeleted, put(),
			sink.Table[changed](second, `"`+ks+`"."t"`, sink.Delete())),
		"by replica set":  sink.Route(whetherDeleted, put(sink.BatchByReplicaSet(0, 0)), put(sink.BatchByReplicaSet(0, 0), sink.Delete())),
		"behind Throughs": sink.Route(whetherDeleted, sink.Through(same, put()), sink.Through(same, put(sink.Delete()))),
		"inside a Tee":    sink.Tee(nothing, sink.Route(whetherDeleted, put(), put(sink.Delete()))),
		"of Tees":         sink.Route(whetherDeleted, sink.Tee(put(), nothing), sink.Tee(nothing, put(sink.Delete()))),
	} {
		for _, page := range []int{1, 7, 200} {
			create(t, session, "TRUNCATE t")
			rep, err := rxcql.Run(t.Context(), feedOf(feed, page), to)
			require.NoError(t, err)
			require.True(t, rep.Complete)
			require.EqualValues(t, len(feed), rep.ReadRows)
			require.Equal(t, left, stored(t, session), "%s, pages of %d", name, page)
		}
	}
}

// feedOf is a feed in pages of so many elements.
func feedOf(feed []changed, page int) rxcql.Stream[changed] {
	return source.Seq(func(yield func(changed, error) bool) {
		for _, c := range feed {
			if !yield(c, nil) {
				return
			}
		}
	}, source.PageRows(page))
}

func TestAJobOfARouteWhoseSinksWriteOneTableGoesOn(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+changedColumns)
	feed, left := hundred()
	to := sink.Route(whetherDeleted, sink.Table[changed](session, ks+".t"), sink.Table[changed](session, ks+".t", sink.Delete()))
	store := &jobtest.Store{}
	parts := &jobtest.Parts[changed]{Rows: [][]changed{feed}, PageRows: 10}
	run := func(after int) (rxcql.Report, error) {
		in := operators.Tap(parts.Stream(), func(changed) error {
			if after--; after == 0 {
				return errBroken
			}
			return nil
		})
		return rxcql.Run(t.Context(), in, to, rxcql.WithCheckpoint(store, "job"))
	}
	for _, after := range []int{25, 61, 30} {
		_, err := run(after)
		require.ErrorIs(t, err, errBroken)
	}
	rep, err := run(-1)
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.True(t, rep.Resumed)
	require.Equal(t, left, stored(t, session))
}

func TestARouteWritesEachRowIntoTheTableThatIsPicked(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	var tables []rxcql.Sink[changed]
	for i := range 3 {
		create(t, session, fmt.Sprintf("CREATE TABLE t%d %s", i, changedColumns))
		tables = append(tables, sink.Table[changed](session, fmt.Sprintf("%s.t%d", ks, i)))
	}
	feed := make([]changed, 3000)
	for i := range feed {
		feed[i] = changed{ID: int64(i), V: []string{"v"}}
	}
	rep, err := rxcql.Run(t.Context(), feedOf(feed, 512), sink.Route(func(c changed) int {
		if c.ID%4 == 3 {
			return sink.Drop
		}
		return int(c.ID % 4)
	}, tables...))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, 2250, rep.Written)
	require.EqualValues(t, 750, rep.Filtered)
	for i := range 3 {
		iter := session.Query(fmt.Sprintf("SELECT id FROM t%d", i)).Iter()
		n := 0
		for id := int64(0); iter.Scan(&id); n++ {
			require.EqualValues(t, i, id%4)
		}
		require.NoError(t, iter.Close())
		require.Equal(t, 750, n)
	}
}
