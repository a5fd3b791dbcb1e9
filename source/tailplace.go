package source

import (
	"encoding/binary"
	"fmt"
	"maps"

	"github.com/rxcql/rxcql"
)

// tailPlace is how far a tail has come. Times are milliseconds since 1970.
type tailPlace struct {
	from  int64                      // partitions without an edge are read from there
	first int64                      // in the first bucket that is not over; what is before has been given
	edges map[tailPartition]tailEdge // of partitions in buckets that are not over
	seen  map[tailPartition]seenRows
	keys  int // in seen
}

// tailPartition is a partition of a table that is tailed.
type tailPartition struct {
	bucket int64 // its start
	shard  int
}

// tailEdge is how far a partition has been read for good.
type tailEdge struct {
	at    int64    // rows that arrived before have been given, or will never be there
	after [][]byte // if not nil: so have rows up to this clustering key, which arrived at at
}

// seenRows are rows of a partition beyond its edge that have been given.
type seenRows map[rowHash]seenRow

// rowHash is one of the clustering key. Rows of different keys must never have one hash, or a row
// would be lost: so it is cut from a cryptographic one.
type rowHash [16]byte

type seenRow struct {
	arrived int64
	content uint64 // a hash of the row of 56 bits; 0 unless Upserts
}

func newTailPlace(from, first int64) *tailPlace {
	return &tailPlace{from: from, first: first, edges: map[tailPartition]tailEdge{}, seen: map[tailPartition]seenRows{}}
}

// edge returns how far a partition has been read.
func (p *tailPlace) edge(of tailPartition) tailEdge {
	if edge, known := p.edges[of]; known {
		return edge
	}
	return tailEdge{at: p.from}
}

// move sets the edge of a partition, and forgets rows before it.
func (p *tailPlace) move(of tailPartition, to tailEdge) {
	p.edges[of] = to
	seen := p.seen[of]
	before := len(seen)
	maps.DeleteFunc(seen, func(_ rowHash, row seenRow) bool { return row.arrived < to.at })
	p.keys += len(seen) - before
	if len(seen) == 0 {
		delete(p.seen, of)
	}
}

// see notes a row that is given, and returns those of its partition.
func (p *tailPlace) see(of tailPartition, hash rowHash, row seenRow) seenRows {
	if p.seen[of] == nil {
		p.seen[of] = seenRows{}
	}
	if _, again := p.seen[of][hash]; !again {
		p.keys++
	}
	p.seen[of][hash] = row
	return p.seen[of]
}

// over forgets the buckets before first.
func (p *tailPlace) over(first int64) {
	p.first = first
	maps.DeleteFunc(p.edges, func(of tailPartition, _ tailEdge) bool { return of.bucket < first })
	maps.DeleteFunc(p.seen, func(of tailPartition, seen seenRows) bool {
		if of.bucket < first {
			p.keys -= len(seen)
			return true
		}
		return false
	})
}

// A saved place is tailPlaceVersion and then records, each of which changes the place. A page
// carries those for what it changes, since a place has all keys of the overlap.
const (
	tailPlaceVersion = 1

	recordBegin byte = 'b' // from, first
	recordOver  byte = 'o' // first
	recordEdge  byte = 'e' // partition, at, and how many cells after has, with these
	recordSeen  byte = 'r' // partition, how many rows, and of each: hash, arrived since the one before, content
)

func appendBegin(to []byte, from, first int64) []byte {
	return binary.AppendVarint(binary.AppendVarint(append(to, recordBegin), from), first)
}

func appendOver(to []byte, first int64) []byte {
	return binary.AppendVarint(append(to, recordOver), first)
}

func appendPartition(to []byte, record byte, of tailPartition) []byte {
	return binary.AppendVarint(binary.AppendVarint(append(to, record), of.bucket), int64(of.shard))
}

func appendEdge(to []byte, of tailPartition, edge tailEdge) []byte {
	to = binary.AppendVarint(appendPartition(to, recordEdge, of), edge.at)
	to = binary.AppendUvarint(to, uint64(len(edge.after)))
	for _, cell := range edge.after {
		to = appendBytes(to, cell)
	}
	return to
}

// save writes a place down as a whole.
func (p *tailPlace) save() []byte {
	return p.appendTo(appendBegin([]byte{tailPlaceVersion}, p.from, p.first))
}

// appendTo appends records of the edges and the rows.
func (p *tailPlace) appendTo(b []byte) []byte {
	for of, edge := range p.edges {
		b = appendEdge(b, of, edge)
	}
	var record seenRecord
	for of, seen := range p.seen {
		for _, row := range seen.inOrder() {
			record.add(row.hash, row.seenRow)
		}
		b = record.appendTo(b, of)
	}
	return b
}

var errTailPlace = fmt.Errorf("%w: a position in a table that is tailed cannot be read", rxcql.ErrCheckpointDamaged)

// parseTailPlace reads what save wrote, or a version and records. cells is how many clustering
// columns there are.
func parseTailPlace(state []byte, cells int) (*tailPlace, error) {
	r := placeReader{rest: state}
	if version := r.byte(); version > tailPlaceVersion {
		return nil, fmt.Errorf("%w: a position in a table that is tailed has the form %d, and this program knows %d",
			rxcql.ErrCheckpointNewer, version, tailPlaceVersion)
	} else if version < tailPlaceVersion || r.byte() != recordBegin {
		return nil, errTailPlace
	}
	p := newTailPlace(r.varint(), r.varint())
	for len(r.rest) > 0 && !r.cut {
		if err := p.replay(&r, cells); err != nil {
			return nil, err
		}
	}
	if r.cut {
		return nil, errTailPlace
	}
	return p, nil
}

// replay makes the change of one record.
func (p *tailPlace) replay(r *placeReader, cells int) error {
	switch r.byte() {
	case recordOver:
		if first := r.varint(); !r.cut {
			p.over(first)
		}
	case recordEdge:
		of, edge := r.partition(), tailEdge{at: r.varint()}
		switch n := r.varuint(); n {
		case 0:
		case uint64(cells):
			for range cells {
				edge.after = append(edge.after, r.bytes())
			}
		default:
			return errTailPlace
		}
		if !r.cut {
			p.move(of, edge)
		}
	case recordSeen:
		of, row := r.partition(), seenRow{}
		for n := r.varuint(); n > 0 && !r.cut; n-- {
			var hash rowHash
			copy(hash[:], r.take(len(hash)))
			row.arrived, row.content = row.arrived+r.varint(), r.varuint()
			if !r.cut {
				p.see(of, hash, row)
			}
		}
	default:
		return errTailPlace
	}
	return nil
}

func (r *placeReader) partition() tailPartition {
	return tailPartition{bucket: r.varint(), shard: int(r.varint())}
}

func (r *placeReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.cut, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *placeReader) varuint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.cut, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *placeReader) take(n int) []byte {
	if n > len(r.rest) {
		r.cut, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
