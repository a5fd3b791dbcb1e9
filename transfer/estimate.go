package transfer

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/schema"
)

// estimate is about how large a table is. Known is false if the server has no estimate.
type estimate struct {
	known                   bool
	ranges                  int64
	partitions, rows, bytes int64
}

// sampleRows are how many rows are read to find out how many a partition has.
const sampleRows = 5000

// defaultSplits is that of source.Splits.
const defaultSplits = 64

// pageBytes are about the bytes that a page of a table source has.
const pageBytes = 512 << 10

// estimate estimates what a job reads of a table. Partitions and bytes are those of
// system.size_estimates, which each node has for its own ranges and counts anew every five minutes:
// what one node says is taken for the whole ring, by the part of the ring that it is about. Rows
// are the partitions times the rows of a partition, of which the first 5,000 rows of the table are
// a sample. Of a virtual table nothing is known.
func (c *config) estimate(ctx context.Context, e *end, about *schema.Table) (est estimate, err error) {
	if about.Virtual {
		return estimate{ranges: 1}, nil
	}
	err = rxcql.Retry(ctx, driver.MayPass, func() (err error) {
		est, err = c.ask(ctx, e, about)
		return err
	})
	return est, err
}

func (c *config) ask(ctx context.Context, e *end, about *schema.Table) (est estimate, err error) {
	now, err := e.session.Ring(ctx)
	if err != nil {
		return est, err
	}
	tiles := ring.Tile(now.Tokens, cmp.Or(c.splits, defaultSplits))
	est.ranges = int64(len(ring.Shard(tiles, c.shard, max(1, c.of))))

	var share, partitions, bytes float64
	one := gocql.One
	st := driver.Statement{
		CQL:  "SELECT range_start, range_end, mean_partition_size, partitions_count FROM system.size_estimates WHERE keyspace_name = ? AND table_name = ?",
		Args: []any{about.Keyspace, about.Name}, Consistency: &one, Idempotent: true,
	}
	err = e.session.Each(ctx, st, func(_ string, cells [][]byte) error {
		part, err := ringShare(string(cells[0]), string(cells[1]))
		n := float64(bigint(cells[3]))
		share, partitions, bytes = share+part, partitions+n, bytes+n*float64(bigint(cells[2]))
		return err
	})
	if err != nil || share == 0 || partitions == 0 {
		return est, err
	}
	whole := share * float64(max(1, c.of))
	est.known = true
	est.partitions, est.bytes = int64(partitions/whole), int64(bytes/whole)
	est.rows = est.partitions
	if len(about.ClusteringKey) > 0 {
		perPartition, err := c.sample(ctx, e, about)
		if err != nil {
			return est, err
		}
		est.rows = int64(float64(est.partitions) * perPartition)
	}
	return est, nil
}

// sample returns about how many rows a partition has.
func (c *config) sample(ctx context.Context, e *end, about *schema.Table) (float64, error) {
	names := make([]string, len(about.PartitionKey))
	for i, col := range about.PartitionKey {
		names[i] = schema.Quote(col.Name)
	}
	rows, partitions, last := 0, 0, "none" // no key looks like this, since each part has a length
	st := driver.Statement{
		CQL:         fmt.Sprintf("SELECT %s FROM %s LIMIT %d", strings.Join(names, ", "), about.Quoted(), sampleRows),
		Consistency: c.read, Idempotent: true,
	}
	err := e.session.Each(ctx, st, func(_ string, cells [][]byte) error {
		var key []byte
		for _, cell := range cells {
			key = append(binary.BigEndian.AppendUint32(key, uint32(len(cell))), cell...) //nolint:gosec // a key has at most 64 KiB
		}
		rows++
		if string(key) != last {
			partitions, last = partitions+1, string(key)
		}
		return nil
	})
	switch {
	case driver.Classify(err) == driver.TooManyTombstones:
		return 1, nil
	case err != nil:
		return 0, err
	}
	return float64(max(1, rows)) / float64(max(1, partitions)), nil
}

// ringShare returns which part of the ring a range is, from 0 to 1.
func ringShare(start, end string) (float64, error) {
	from, err := strconv.ParseInt(start, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("system.size_estimates has a token that is no 64-bit number: %w", rxcql.ErrSchema)
	}
	to, err := strconv.ParseInt(end, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("system.size_estimates has a token that is no 64-bit number: %w", rxcql.ErrSchema)
	}
	if width := uint64(to) - uint64(from); width > 0 { //nolint:gosec // it may wrap around, as the ring does
		return float64(width) / math.MaxUint64, nil
	}
	return 1, nil // a node that is alone, with one token
}

func bigint(cell []byte) int64 {
	if len(cell) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(cell)) //nolint:gosec // two's complement
}
