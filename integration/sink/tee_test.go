package sink_test

import (
	"strconv"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// changed is an element of a feed of changes.
type changed struct {
	ID      int64    `cql:"id"`
	V       []string `cql:"v"`
	Deleted bool
}

const changedColumns = "(id bigint PRIMARY KEY, v list<text>)"

// branch is a branch of a Tee for the upserts or the deletes of a feed.
func branch(session *gocql.Session, table string, deletes bool) rxcql.Sink[changed] {
	opts := []sink.TableOption{}
	if deletes {
		opts = append(opts, sink.Delete())
	}
	return sink.Through(func(in rxcql.Stream[changed]) rxcql.Stream[changed] {
		return operators.Filter(in, func(c changed) bool { return c.Deleted == deletes })
	}, sink.Table[changed](session, table, opts...))
}

// hundred is a feed: so many rows come, every third is deleted and comes again, and of
// these every second is deleted for good. Left is the table after it.
func hundred() (feed []changed, left map[int64][]string) {
	left = map[int64][]string{}
	for i := range int64(100) {
		feed = append(feed, changed{ID: i, V: []string{"a"}})
		left[i] = []string{"a"}
	}
	for i := int64(0); i < 100; i += 3 {
		v := []string{"b", strconv.Itoa(int(i))}
		feed = append(feed, changed{ID: i, Deleted: true}, changed{ID: i, V: v})
		left[i] = v
		if i%2 == 0 {
			feed = append(feed, changed{ID: i, Deleted: true})
			delete(left, i)
		}
	}
	return feed, left
}

func stored(t *testing.T, session *gocql.Session) map[int64][]string {
	t.Helper()
	all := map[int64][]string{}
	iter := session.Query("SELECT id, v FROM t").Iter()
	for {
		var id int64
		var v []string
		if !iter.Scan(&id, &v) {
			break
		}
		all[id] = v
	}
	require.NoError(t, iter.Close())
	return all
}

func TestTwoBranchesThatWriteOneTableApplyAFeedOfChanges(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	second, _ := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+changedColumns)
	feed, left := hundred()
	for name, to := range map[string]rxcql.Sink[changed]{
		"upserts first":     sink.Tee(branch(session, ks+".t", false), branch(session, ks+".t", true)),
		"deletes first":     sink.Tee(branch(session, ks+".t", true), branch(session, ks+".t", false)),
		"of two sessions":   sink.Tee(branch(session, ks+".t", false), branch(second, ks+".t", true)),
		"by another text":   sink.Tee(branch(session, `"`+ks+`"."t"`, true), branch(session, ks+".t", false)),
		"in a Tee each":     sink.Tee(sink.Tee(branch(session, ks+".t", false)), sink.Tee(branch(second, ks+".t", true))),
		"a Tee in each Tee": sink.Tee(sink.Tee(sink.Tee(branch(session, ks+".t", true))), branch(second, ks+".t", false)),
	} {
		for _, page := range []int{7, 200} {
			create(t, session, "TRUNCATE t")
			in := source.Seq(func(yield func(changed, error) bool) {
				for _, c := range feed {
					if !yield(c, nil) {
						return
					}
				}
			}, source.PageRows(page))
			p, err := rxcql.New(in, to)
			require.NoError(t, err)
			rep, err := p.Run(t.Context())
			require.NoError(t, err)
			require.True(t, rep.Complete)
			require.Equal(t, left, stored(t, session), "%s, pages of %d", name, page)
		}
	}
}

func TestAJobOfTwoBranchesThatWriteOneTableGoesOn(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+changedColumns)
	feed, left := hundred()
	to := sink.Tee(branch(session, ks+".t", true), branch(session, ks+".t", false))
	store := &jobtest.Store{}
	parts := &jobtest.Parts[changed]{Rows: [][]changed{feed}, PageRows: 10}
	run := func(after int) (rxcql.Report, error) {
		in := operators.Tap(parts.Stream(), func(changed) error {
			if after--; after == 0 {
				return errBroken
			}
			return nil
		})
		p, err := rxcql.New(in, to, rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		return p.Run(t.Context())
	}
	for _, after := range []int{50, 45, 30} {
		_, err := run(after)
		require.ErrorIs(t, err, errBroken)
	}
	rep, err := run(0)
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Positive(t, rep.ResumedRows)
	require.Equal(t, left, stored(t, session))
}

func TestAnOperatorThatHoldsRowsBeforeATableOfTwoBranchesIsRefusedByCheck(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	second, _ := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+changedColumns, "CREATE TABLE other "+changedColumns)
	held := func(table string) rxcql.Sink[changed] {
		return sink.Through(func(in rxcql.Stream[changed]) rxcql.Stream[changed] {
			return operators.FlatMap(operators.Batch(in, operators.BatchRows(10)), func(all []changed, emit func(changed) bool) error {
				for _, c := range all {
					emit(c)
				}
				return nil
			})
		}, branch(second, table, true))
	}
	check := func(table string) error {
		p, err := rxcql.New(rows[changed](), sink.Tee(branch(session, ks+".t", false), held(table)))
		require.NoError(t, err)
		return p.Check(t.Context())
	}
	require.NoError(t, check(ks+".other"))
	err := check(ks + ".t")
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "Table "+ks+".t")
	require.ErrorContains(t, err, "Batch")
}
