package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/gocql/gocql"
)

// checksum counts the rows of a table of events and adds up a hash of each: two
// tables that agree in both hold the same rows, whatever their order. It reads
// by hand, so that the toolkit does not vouch for itself.
func checksum(ctx context.Context, session *gocql.Session, table string) (tally, error) {
	const workers = 4
	var parts [workers]tally
	err := byRange(ctx, session, workers, fmt.Sprintf(selectEvents, table), "sensor",
		func(_ context.Context, worker int, iter *gocql.Iter) error {
			var e event
			t := &parts[worker]
			for iter.Scan(&e.Sensor, &e.Seq, &e.Kind, &e.At, &e.Note) {
				t.add(tally{1, e.hash()})
			}
			return nil
		})
	var all tally
	for _, part := range parts {
		all.add(part)
	}
	return all, err
}

func (e *event) hash() int64 {
	var fixed [20]byte
	binary.BigEndian.PutUint32(fixed[0:], uint32(e.Sensor))
	binary.BigEndian.PutUint32(fixed[4:], uint32(e.Seq))
	binary.BigEndian.PutUint32(fixed[8:], uint32(e.Kind))
	binary.BigEndian.PutUint64(fixed[12:], uint64(e.At))
	h := fnv.New64a()
	h.Write(fixed[:])
	h.Write([]byte(e.Note))
	return int64(h.Sum64())
}
