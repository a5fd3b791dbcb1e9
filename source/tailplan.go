package source

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/keyorder"
	"github.com/rxcql/rxcql/internal/schema"
)

// tailPlan is what a run of a tail reads.
type tailPlan struct {
	about  *schema.Table
	cql    string
	text   string // the same, as it is sent
	own    int    // columns that the type needs: the first ones of the statement
	key    []int  // which columns of the statement are the clustering key; with Upserts all others follow
	order  *keyorder.Order
	types  []*codec.Type // of the bind markers
	pinned *driver.Encoding
	sample string

	bucketTypes []*codec.Type // of Buckets.Columns
	place       []int         // of each column of the partition key: its index in Buckets.Columns, or -1 for the shard
	shardType   *codec.Type
	timeuuid    bool // the column of arrival is one; else it is a timestamp
}

// plan compares T and the buckets with the table.
func (t *tailing[T]) plan(ctx context.Context) (*tailPlan, error) {
	about, names, _, err := t.reads(ctx)
	if err != nil {
		return nil, err
	}
	plan := &tailPlan{about: about, own: len(names)}
	errs := []error{plan.matchPartition(&t.buckets), plan.matchClustering(&t.buckets)}
	if errors.Join(errs...) == nil {
		plan.sample, err = t.sample(plan)
		errs = append(errs, err)
		errs = append(errs, plan.matchShards(&t.buckets))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%w: table %s: %w", rxcql.ErrSchema, about.Quoted(), err)
	}
	plan.state(slices.Clone(names), t.cfg.upserts)
	plan.pinned = driver.NewEncoding(plan.types, func(ctx context.Context) error {
		return schema.Unchanged(ctx, t.session, about)
	})
	return plan, nil
}

// exampleKey is how a table is to be made.
const exampleKey = "Tail needs a table whose partitions are made from the time of arrival, such as PRIMARY KEY ((day, shard), arrived, id)"

// matchPartition finds the columns of the partition key.
func (p *tailPlan) matchPartition(b *Buckets) error {
	var errs []error
	wanted := b.Columns
	if b.Shard != "" {
		wanted = append(slices.Clone(wanted), b.Shard)
	}
	for _, name := range wanted {
		if !slices.ContainsFunc(p.about.PartitionKey, func(c schema.Column) bool { return c.Name == name }) {
			errs = append(errs, fmt.Errorf("its partition key has no column %q; it has %s", name, columnsOf("partition key", p.about.PartitionKey)))
		}
	}
	p.bucketTypes = make([]*codec.Type, len(b.Columns))
	for _, c := range p.about.PartitionKey {
		at := slices.Index(b.Columns, c.Name)
		switch {
		case at >= 0:
			p.bucketTypes[at] = c.Type
		case c.Name == b.Shard:
			p.shardType = c.Type
		default:
			errs = append(errs, fmt.Errorf("its partition key has the column %q, which Buckets does not name, so its partitions are not known: %s", c.Name, exampleKey))
			continue
		}
		p.place = append(p.place, at)
		p.types = append(p.types, c.Type)
	}
	return errors.Join(errs...)
}

// matchClustering finds the column of arrival, and the order of rows in a partition.
func (p *tailPlan) matchClustering(b *Buckets) error {
	if len(p.about.ClusteringKey) == 0 || p.about.ClusteringKey[0].Name != b.Arrived {
		return fmt.Errorf("%q is not its first clustering column; it has %s: %s", b.Arrived, columnsOf("clustering", p.about.ClusteringKey), exampleKey)
	}
	arrived := p.about.ClusteringKey[0]
	switch arrived.Type.Kind {
	case codec.Timestamp:
	case codec.Timeuuid:
		p.timeuuid = true
	default:
		return fmt.Errorf("column %q is %s: the time of arrival must be a timestamp or a timeuuid", arrived.Name, arrived.Type)
	}
	p.types = append(p.types, arrived.Type, arrived.Type)
	// Ascending by arrival; where the table is the other way round that reverses all columns.
	clustering := make([]keyorder.Clustering, len(p.about.ClusteringKey))
	for i, c := range p.about.ClusteringKey {
		clustering[i] = keyorder.Clustering{Name: c.Name, Type: c.Type, Descending: c.Descending != arrived.Descending}
	}
	var err error
	p.order, err = keyorder.New(0, clustering...)
	return err
}

// matchShards encodes the last shard.
func (p *tailPlan) matchShards(b *Buckets) error {
	if b.Shard == "" {
		return nil
	}
	switch p.shardType.Kind {
	case codec.Tinyint, codec.Smallint, codec.Int, codec.Bigint:
	default:
		return fmt.Errorf("column %q is %s: shards are integers from 0", b.Shard, p.shardType)
	}
	if _, err := keyValue(p.shardType, b.Shards-1); err != nil {
		return fmt.Errorf("column %q is %s, which %d shards do not fit", b.Shard, p.shardType, b.Shards)
	}
	return nil
}

// state makes the statement. names are the columns that the type needs.
func (p *tailPlan) state(names []string, upserts bool) {
	own := len(names)
	for _, c := range p.about.ClusteringKey {
		at := slices.Index(names, c.Name)
		if at < 0 {
			at = len(names)
			names = append(names, c.Name)
		}
		p.key = append(p.key, at)
	}
	for i := range own {
		if upserts && !slices.Contains(p.key, i) {
			p.key = append(p.key, i)
		}
	}
	for i, name := range names {
		names[i] = schema.Quote(name)
	}
	where := make([]string, 0, len(p.place))
	for _, c := range p.about.PartitionKey {
		where = append(where, schema.Quote(c.Name)+" = ?")
	}
	arrived := p.about.ClusteringKey[0]
	name := schema.Quote(arrived.Name)
	p.cql = fmt.Sprintf("SELECT %s FROM %s WHERE %s AND %s >= ? AND %s < ?",
		strings.Join(names, ", "), p.about.Quoted(), strings.Join(where, " AND "), name, name)
	if arrived.Descending {
		p.cql += " ORDER BY " + name + " ASC"
	}
	p.text = driver.Label(p.cql, p.about.ID, p.types)
}

// request returns the request for rows of a partition that arrived from lower on and before upper,
// both as bytes of that column.
func (p *tailPlan) request(b *Buckets, cfg *tailConfig, of tailPartition, lower, upper []byte) (driver.Statement, error) {
	values, err := b.values(of.bucket, p.bucketTypes)
	if err != nil {
		return driver.Statement{}, err
	}
	bound := make([]driver.Value, 0, len(p.types))
	for _, at := range p.place {
		if at >= 0 {
			bound = append(bound, values[at])
			continue
		}
		shard, err := keyValue(p.shardType, of.shard)
		if err != nil {
			return driver.Statement{}, err
		}
		bound = append(bound, driver.Value{Bytes: shard})
	}
	bound = append(bound, driver.Value{Bytes: lower}, driver.Value{Bytes: upper})
	return driver.Statement{
		CQL: p.text, Args: driver.Bind(nil, bound),
		Consistency: cfg.consistency, Idempotent: true, Encoding: p.pinned,
	}, nil
}

// forever is a time after that of all rows.
const forever = math.MaxInt64

// arrival returns the least bytes of the column of arrival that stand for a time.
func (p *tailPlan) arrival(ms int64) []byte {
	if !p.timeuuid {
		return binary.BigEndian.AppendUint64(nil, uint64(ms)) //nolint:gosec // its bits
	}
	if ms >= lastUUID {
		last := gocql.TimeUUIDWith(1<<60-1, 0x7f7f, []byte{0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f})
		return last[:]
	}
	id := gocql.MinTimeUUID(time.UnixMilli(max(ms, firstUUID)))
	return id[:]
}

// firstUUID and lastUUID are the first and the last time of a timeuuid, in milliseconds.
const (
	firstUUID = -12219292800000
	lastUUID  = (1<<60-1)/10_000 + firstUUID
)

// arrived returns the time in bytes of that column; false if there is none, which no row has.
func (p *tailPlan) arrived(cell []byte) (ms int64, ok bool) {
	switch {
	case p.timeuuid && len(cell) == 16:
		ticks := int64(binary.BigEndian.Uint16(cell[6:])&0x0fff)<<48 | int64(binary.BigEndian.Uint16(cell[4:]))<<32 | int64(binary.BigEndian.Uint32(cell))
		return ticks/10_000 + firstUUID, true
	case !p.timeuuid && len(cell) == 8:
		return int64(binary.BigEndian.Uint64(cell)), true //nolint:gosec // its bits
	}
	return 0, false
}

// nameOf names a partition for errors and hooks.
func (p *tailPlan) nameOf(of tailPartition) string {
	name := "bucket of " + stamp(of.bucket)
	if p.shardType != nil {
		name += fmt.Sprintf(", shard %d", of.shard)
	}
	return name
}
