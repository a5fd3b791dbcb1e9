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
	// DefaultReplicaSetPartitions and DefaultReplicaSetBytes are the defaults of BatchByReplicaSet.
	// For larger batches servers log a warning, unless configured otherwise.
	DefaultReplicaSetPartitions = 10
	DefaultReplicaSetBytes      = 5 << 10

	minSetBytes      = 1 << 10
	maxSetPartitions = 1000

	// What a server adds for each row and each cell when it checks the size of a batch: timestamps,
	// times to live and times of deletion.
	rowOverhead  = 48
	cellOverhead = 20
)

// BatchByReplicaSet puts rows of different partitions into one unlogged batch if they live on the
// same nodes. It is for rows in an order that spreads partitions, as when a file is loaded, where a
// request costs more than the row in it.
//
// A batch of several partitions has at most so many partitions (from 2 to 1,000) and bytes (from 1
// KiB to 16 MiB). 0 stands for the default: 10 partitions and 5 KiB. For larger batches servers log
// a warning by default (batch_size_warn_threshold,
// unlogged_batch_across_partitions_warn_threshold), and above 50 KiB they refuse them
// (batch_size_fail_threshold). 100 partitions and 48 KiB take less CPU, but servers with default
// settings warn. Bytes are counted as servers count them, with 20 for each cell and 48 for each
// row. Batches of one partition may reach BatchBytes, as without the option. BatchRows holds for
// all batches; without it they may have as many rows as partitions, if that is above 100.
//
// Nothing else changes. Each row has its own timestamp, and of two rows with one key the later
// wins. A batch that is refused or too large is halved until the row at fault is found, and that
// row alone is a row that failed. A batch of several partitions is neither atomic nor isolated; nor
// are rows that are sent one by one.
//
// Leave the option out:
//
//   - if rows of a partition come together: they are batched anyway;
//   - if each row has to be written soon: a batch waits for its slowest partition;
//   - for rows of several KiB: a request for each adds little;
//   - if nodes have little memory, or much to do: one node coordinates all rows of a batch, and a
//     batch that times out is sent again as a whole.
//
// Check reads the nodes and the replication of the keyspace. If either changes while the pipeline
// runs, some batches go to nodes that are not replicas of all their rows: that is slower, but never
// wrong. With a replication strategy that is not one of Cassandra's own, a batch has only rows
// between two neighbouring tokens of nodes. Check refuses a partitioner other than
// Murmur3Partitioner, as rxcql.ErrConfig.
//
// Batches that are being filled hold at most an eighth of the budget; the limit of 64 such batches
// does not apply. A cluster with virtual nodes and more nodes than replicas has about 16 replica
// sets for each node. With hundreds of replica sets batches may go before they are full, unless
// writes are slower than rows come, or BatchLinger is longer.
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

// bySet has the arguments of BatchByReplicaSet; zero without the option.
type bySet struct{ partitions, bytes int }

func (s bySet) on() bool { return s.partitions > 0 }

// replicaSets reads which partitions of the table live together; nil if the option is not given.
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

// token returns the token of the partition key in cells.
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

// fits reports whether a row may go into a batch. Rows of one partition may reach BatchBytes, rows
// of several the bounds of BatchByReplicaSet. Two partition keys with the same token count as one
// partition.
func (b *batch) fits(c *tableConfig, of rowSize) bool {
	if b.statements() >= c.batchRows {
		return false
	}
	known := b.has(of.token)
	if known && len(b.tokens) == 1 && len(b.buf)+of.bytes <= c.batchBytes {
		return true
	}
	return (known || len(b.tokens) < c.bySet.partitions) && b.cost+of.cost <= c.bySet.bytes
}

// has reports whether a batch has rows of a token: most often of the last one, if any.
func (b *batch) has(token int64) bool {
	n := len(b.tokens)
	return n > 0 && (b.tokens[n-1] == token || slices.Contains(b.tokens, token))
}

// enter counts a row that is about to be added.
func (b *batch) enter(of rowSize) {
	b.cost += of.cost
	if !b.has(of.token) {
		b.tokens = append(b.tokens, of.token)
	}
}

// full reports whether no other row would fit.
func (b *batch) full(c *tableConfig) bool {
	return b.statements() >= c.batchRows || b.cost+rowOverhead+cellOverhead > c.bySet.bytes &&
		(len(b.tokens) > 1 || len(b.buf) >= c.batchBytes)
}

// addToSet puts a row into the batch of its replica set, or keeps it to be sorted.
func (w *tableWriter[T]) addToSet(ctx context.Context, page *flow.Reservation, p *plan, r batchRow, c cells) error {
	token := w.routing.token(p, c.all)
	if w.memory.sorting > 0 {
		return w.await(ctx, page, token, r, c)
	}
	return w.join(ctx, page, token, r, c)
}

// rowSize is what decides whether a row fits into a batch.
type rowSize struct {
	token int64
	bytes int   // of its cells
	cost  int   // bytes as the server counts them
	held  int64 // as charged to the budget
}

func (w *tableWriter[T]) sizeOf(token int64, c cells) rowSize {
	bytes := encodedSize(c.bound)
	return rowSize{token: token, bytes: bytes, cost: bytes + rowOverhead + cellOverhead*len(c.bound), held: int64(bytes) + c.cost()}
}

// join puts a row into the batch of its replica set.
func (w *tableWriter[T]) join(ctx context.Context, page *flow.Reservation, token int64, r batchRow, c cells) error {
	of := w.sizeOf(token, c)
	if b := w.unfit(of); b != nil {
		if err := w.sendOpen(ctx, page, b); err != nil {
			return err
		}
	}
	b := w.enter(of, r, c)
	if b.full(w.cfg) {
		return w.sendOpen(ctx, page, b)
	}
	return w.sendOldest(ctx, page, math.MaxInt)
}

// unfit returns the open batch of a row's replica set if the row does not fit into it.
func (w *tableWriter[T]) unfit(of rowSize) *batch {
	w.key = binary.BigEndian.AppendUint32(w.key[:0], uint32(w.routing.sets.Of(of.token)))
	b := w.open.find(w.key)
	if b == nil || b.fits(w.cfg, of) && b.held+of.held <= w.memory.batch {
		return nil
	}
	return b
}

// enter puts a row for which unfit has returned no batch, or one that is gone, into the open batch
// of its replica set.
func (w *tableWriter[T]) enter(of rowSize, r batchRow, c cells) *batch {
	b := w.open.find(w.key)
	if b == nil {
		b = w.newBatch()
		w.open.add(b)
	}
	b.enter(of)
	w.put(b, r, c)
	w.open.count(b)
	return b
}

// several reports whether the rows from..to may be of several partitions.
func (b *batch) several(from, to int) bool { return to-from > 1 && len(b.tokens) > 1 }
