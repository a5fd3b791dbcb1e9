package tables

import (
	"cmp"
	"context"
	"slices"

	"github.com/gocql/gocql"
)

// LargestFirst sorts tables by their size on the node that answers, as system.size_estimates has
// it; those of which it has nothing come last, in the order that they had. If the tables take
// turns, the last ones are then small, and no worker waits long for the last. A server that does
// not say sizes is no reason to fail: the order changes nothing but the time that a run takes.
func LargestFirst(ctx context.Context, session *gocql.Session, all []Found) {
	sizes := map[Name]int64{}
	asked := map[string]bool{}
	for _, f := range all {
		if asked[f.Keyspace] {
			continue
		}
		asked[f.Keyspace] = true
		iter := session.Query("SELECT table_name, mean_partition_size, partitions_count FROM system.size_estimates WHERE keyspace_name = ?", f.Keyspace).
			WithContext(ctx).Consistency(gocql.One).Iter()
		var table string
		var mean, partitions int64
		for iter.Scan(&table, &mean, &partitions) {
			sizes[Name{f.Keyspace, table}] += mean * partitions
		}
		_ = iter.Close() // see above
	}
	slices.SortStableFunc(all, func(a, b Found) int { return cmp.Compare(sizes[b.Name], sizes[a.Name]) })
}
