package sink_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// change is an element of a feed of changes: a row, or that it is deleted.
type change struct {
	P       int64    `cql:"p"`
	C       int32    `cql:"c"`
	V       []string `cql:"v"`
	Deleted bool
}

// upsert and remove are changes of a row of few.
func upsert(key int, v ...string) change { return change{P: int64(key % 3), C: int32(key), V: v} }
func remove(key int) change              { return change{P: int64(key % 3), C: int32(key), Deleted: true} }

// applied is the table when the changes are made one after the other.
func applied(feed []change) map[rowKey]string {
	rows := map[rowKey]string{}
	for _, ch := range feed {
		key := rowKey{ch.P, ch.C}
		if ch.Deleted {
			delete(rows, key)
			continue
		}
		rows[key] = fmt.Sprint(ch.V[0])
		for _, v := range ch.V[1:] {
			rows[key] += "," + v
		}
	}
	return rows
}

func onlyDeleted(deleted bool) func(rxcql.Stream[change]) rxcql.Stream[change] {
	return func(in rxcql.Stream[change]) rxcql.Stream[change] {
		return operators.Filter(in, func(ch change) bool { return ch.Deleted == deleted })
	}
}

// upserts and deletes are the two branches that apply a feed of changes.
func upserts(to *replica, opts ...sink.TableOption) rxcql.Sink[change] {
	return sink.Through(onlyDeleted(false), sink.TableOn[change](to.send, to.table(), opts...))
}

func deletes(to *replica, opts ...sink.TableOption) rxcql.Sink[change] {
	return sink.Through(onlyDeleted(true), sink.TableOn[change](to.send, to.table(), append(opts, sink.Delete())...))
}

// split is a feed in pages of so many rows.
func split(feed []change, rows int) rxcql.Stream[change] {
	return source.Seq(func(yield func(change, error) bool) {
		for _, ch := range feed {
			if !yield(ch, nil) {
				return
			}
		}
	}, source.PageRows(rows))
}

func upsertsOf(n int) (feed []change) {
	for i := range n {
		feed = append(feed, upsert(i, "v"))
	}
	return feed
}

func TestBranchesOfATeeApplyAFeedOfChangesInItsOrder(t *testing.T) {
	same := func(in rxcql.Stream[change]) rxcql.Stream[change] { return in }
	nothing := sink.Each(func(context.Context, change) error { return nil })
	for name, feed := range map[string][]change{
		"deleted at last":               append(upsertsOf(1000), remove(999)),
		"deleted after it in one page":  {upsert(1, "a"), upsert(2, "b"), remove(1)},
		"deleted before it in one page": {remove(1), upsert(2, "b"), upsert(1, "a")},
		"there and back":                {upsert(1, "a"), remove(1), upsert(1, "b"), remove(1), upsert(1, "c"), remove(2), upsert(2, "d"), remove(2)},
		"written over":                  {upsert(1, "a"), upsert(1, "b", "c"), upsert(1, "d")},
	} {
		for shape, tee := range map[string]func(up, del rxcql.Sink[change]) rxcql.Sink[change]{
			"upserts first":            func(up, del rxcql.Sink[change]) rxcql.Sink[change] { return sink.Tee(up, del) },
			"deletes first":            func(up, del rxcql.Sink[change]) rxcql.Sink[change] { return sink.Tee(del, up) },
			"with another between":     func(up, del rxcql.Sink[change]) rxcql.Sink[change] { return sink.Tee(up, nothing, del) },
			"one in a Tee of its own":  func(up, del rxcql.Sink[change]) rxcql.Sink[change] { return sink.Tee(sink.Tee(nothing, del), up) },
			"both in a Tee of a Tee":   func(up, del rxcql.Sink[change]) rxcql.Sink[change] { return sink.Tee(nothing, sink.Tee(up, del)) },
			"one behind two Throughs":  func(up, del rxcql.Sink[change]) rxcql.Sink[change] { return sink.Tee(sink.Through(same, up), del) },
			"the Tee behind a Through": func(up, del rxcql.Sink[change]) rxcql.Sink[change] { return sink.Through(same, sink.Tee(up, del)) },
			"Throughs and Tees in turn": func(up, del rxcql.Sink[change]) rxcql.Sink[change] {
				return sink.Tee(del, sink.Through(same, sink.Tee(nothing, sink.Through(same, up))))
			},
		} {
			for _, rows := range []int{1, 2, 3, 512} {
				t.Run(fmt.Sprintf("%s, %s, pages of %d", name, shape, rows), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						server := newReplica()
						rep, err := run(t, split(feed, rows), tee(upserts(server), deletes(server)))
						require.NoError(t, err)
						require.True(t, rep.Complete)
						require.EqualValues(t, len(feed), rep.ReadRows)
						require.Equal(t, applied(feed), server.read())
					})
				})
			}
		}
	}
}
