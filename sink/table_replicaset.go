package sink

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/schema"
)

const (
	// DefaultReplicaSetPartitions and DefaultReplicaSetBytes are what BatchByReplicaSet takes for 0:
	// above them servers log a warning of each batch by default.
	DefaultReplicaSetPartitions = 10
	DefaultReplicaSetBytes      = 5 << 10

	minSetBytes      = 1 << 10
	maxSetPartitions = 1000

	// What a server adds to the bytes of a row and of each cell when it looks at the
	// size of a batch: timestamps, times to live and times of deletion.
	rowOverhead  = 48
	cellOverhead = 20
)

// BatchByReplicaSet puts rows of different partitions into one unlogged batch where
// they live on the same nodes. It is for rows in an order that spreads partitions, as
// loads of files are, where a request costs more than the row in it.
//
// A batch of several partitions has at most so many partitions (from 2 to 1,000) and
// bytes (from 1 KiB to 16 MiB). 0 stands for the default: 10 partitions and 5 KiB.
// Above them servers log a warning by default (batch_size_warn_threshold,
// unlogged_batch_across_partitions_warn_threshold), and above 50 KiB they refuse such a
// batch (batch_size_fail_threshold). 100 partitions and 48 KiB take less CPU, and make
// servers with default settings warn. Bytes are counted as servers do, with 20 for each
// cell and 48 for each row. Rows of one partition alone go up to BatchBytes, as without
// the option. BatchRows holds for all batches.
//
// Nothing else changes. Each row has its own timestamp, and of two rows with one key
// the later wins. A batch that is refused or too large is halved until the row at fault
// is found, and that row is a row error by itself. A batch of several partitions is
// neither atomic nor isolated, no more than rows of their own are.
//
// Leave it out:
//
//   - where rows of a partition come together: they are batched anyway;
//   - where each row has to be written soon: a batch waits for its slowest partition;
//   - for rows of some KiB and more, to which a request of their own adds little;
//   - where nodes have little memory, or much to do: one node coordinates all rows of a
//     batch, and a batch that times out is sent again as a whole.
//
// Check reads the nodes and the replication of the keyspace. If either changes while
// the pipeline runs, some batches go to nodes that are not replicas of all their rows:
// that is slower and never wrong. With a replication strategy that is not Cassandra's
// own, a batch has only rows between two neighbouring tokens of nodes. A partitioner
// other than Murmur3Partitioner is refused by Check, as rxcql.ErrConfig.
//
// Batches that are being filled hold an eighth of the budget at most, in place of 64
// batches. A cluster with virtual nodes and more nodes than replicas has some 16 replica sets a
// node. With hundreds of them batches may go before they are full, unless the writes
// are slower than the rows come, or Linger is longer.
func BatchByReplicaSet(partitions, bytes int) TableOption {
	return tableOption(func(c *tableConfig) error {
		set := bySet{partitions: partitions, bytes: bytes}
		if partitions == 0 {
			set.partitions = DefaultReplicaSetPartitions
		}
		if bytes == 0 {
			set.bytes = DefaultReplicaSetBytes
		}
		if set.partitions < 2 || set.partitions > maxSetPartitions || set.bytes < minSetBytes || set.bytes > maxBatchBytes {
			return fmt.Errorf("BatchByReplicaSet(%d, %d): partitions must be from 2 to %d and bytes from %d to %d, or 0 for the default",
				partitions, bytes, maxSetPartitions, minSetBytes, maxBatchBytes)
		}
		c.bySet = set
		return nil
	})
}

// bySet is what BatchByReplicaSet says; zero without it.
type bySet struct{ partitions, bytes int }

func (s bySet) on() bool { return s.partitions > 0 }

// replicaSets reads which partitions of the table live together, nil where nobody
// asks.
func (t *table[T]) replicaSets(ctx context.Context) (*ring.Sets, error) {
	if !t.cfg.bySet.on() {
		return nil, nil //nolint:nilnil // none
	}
	var nodes []ring.Node
	var replication map[string]string
	err := rxcql.Retry(ctx, driver.MayPass, func() (err error) {
		if nodes, err = t.session.Nodes(ctx); err == nil {
			replication, err = schema.Replication(ctx, t.session, t.keyspace)
		}
		return err
	})
	if errors.Is(err, driver.ErrPartitioner) {
		err = fmt.Errorf("%w: BatchByReplicaSet: %w, so it is not known which rows live together; leave the option out", rxcql.ErrConfig, err)
	}
	if err != nil {
		return nil, err
	}
	return ring.NewSets(nodes, replication), nil
}

// routing finds the replica sets of rows. It is used by one goroutine.
type routing struct {
	sets *ring.Sets // nil: batches are by partition
	key  []byte
}

// token is that of the partition key in cells.
func (r *routing) token(p *plan, cells []codec.Cell) int64 {
	if p.parts == 1 {
		return ring.Token(cells[0].Bytes)
	}
	r.key = r.key[:0]
	for _, c := range cells[:p.parts] {
		r.key = append(r.key, byte(len(c.Bytes)>>8), byte(len(c.Bytes)))
		r.key = append(r.key, c.Bytes...)
		r.key = append(r.key, 0)
	}
	return ring.Token(r.key)
}

// fits reports whether a row may go into a batch: rows of one partition up to
// BatchBytes, of any partitions up to what BatchByReplicaSet says. Two keys of one
// token would count as one partition.
func (b *batch) fits(c *tableConfig, token int64, cost, bytes int) bool {
	known := slices.Contains(b.tokens, token)
	if known && len(b.tokens) == 1 && len(b.buf)+bytes <= c.batchBytes {
		return true
	}
	return (known || len(b.tokens) < c.bySet.partitions) && b.cost+cost <= c.bySet.bytes
}

// enter counts a row that is about to be added.
func (b *batch) enter(token int64, cost int) {
	b.cost += cost
	if !slices.Contains(b.tokens, token) {
		b.tokens = append(b.tokens, token)
	}
}

// full reports whether no other row would fit.
func (b *batch) full(c *tableConfig) bool {
	return len(b.rows) >= c.batchRows || b.cost+rowOverhead+cellOverhead > c.bySet.bytes &&
		(len(b.tokens) > 1 || len(b.buf) >= c.batchBytes)
}

// addToSet puts a row into the batch of its replica set.
func (w *tableWriter[T]) addToSet(ctx context.Context, page *flow.Reservation, p *plan, r batchRow, c cells) error {
	token := w.routing.token(p, c.all)
	set := w.routing.sets.Of(token)
	bytes := encodedSize(c.bound)
	cost := bytes + rowOverhead + cellOverhead*len(c.bound)
	w.key = binary.BigEndian.AppendUint32(w.key[:0], uint32(set))
	b := w.open.find(w.key)
	if b != nil && (!b.fits(w.cfg, token, cost, bytes) || b.held+int64(bytes)+costOf(len(c.bound)) > w.memory.batch) {
		if err := w.sendOpen(ctx, page, b); err != nil {
			return err
		}
		b = nil
	}
	if b == nil {
		b = w.newBatch()
		w.open.add(b)
	}
	b.enter(token, cost)
	b.add(r, c.bound, w.nulls)
	w.open.count(b)
	if b.full(w.cfg) {
		return w.sendOpen(ctx, page, b)
	}
	return w.sendOldest(ctx, page, math.MaxInt)
}

// several reports whether the rows from..to may be of several partitions.
func (b *batch) several(from, to int) bool { return to-from > 1 && len(b.tokens) > 1 }
