package sink

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"time"

	"github.com/rxcql/rxcql"
)

// statics remembers which static columns a run has written, so that they are not written again with
// each row of their partition. Rows of a partition come together, or nearly so; partitions that
// have not come for a while are forgotten, and written again if they come again.
//
// That a batch has them is enough: the page of their row is not settled before they are durable. If
// the run ends before that, a run that goes on reads that page again.
type statics struct {
	seen  map[[16]byte]staticsSeen // by partition key
	hash  hash.Hash
	swept time.Time

	key, content [16]byte // those that fresh has looked at last
}

type staticsSeen struct {
	content [16]byte // with the times
	used    time.Time
}

const (
	staticsKnown = time.Second
	staticsMany  = 4096
)

// fresh reports whether the static columns of a row were not written yet, or have changed. When
// their writes have been made, remember is to be called.
func (s *statics) fresh(p *timedPlan, row *rxcql.Row) bool {
	if s.seen == nil {
		s.seen, s.hash = map[[16]byte]staticsSeen{}, sha256.New()
	}
	s.hash.Reset()
	for _, at := range p.keys[:p.plan.parts] {
		s.add(row, at)
	}
	s.key = s.sum()
	s.hash.Reset()
	for i := range p.static.columns {
		t := &p.static.columns[i]
		s.add(row, t.value)
		if t.time >= 0 {
			s.add(row, t.time)
			s.add(row, t.expires)
		}
	}
	s.content = s.sum()
	before, known := s.seen[s.key]
	if known && before.content == s.content {
		s.remember() // it is in use
		return false
	}
	return true
}

// remember remembers what fresh has looked at. It is apart from fresh because a row whose static
// columns cannot be written must not keep the next one of its partition from bringing them.
func (s *statics) remember() {
	now := time.Now()
	s.seen[s.key] = staticsSeen{s.content, now}
	if len(s.seen) > staticsMany && now.Sub(s.swept) > staticsKnown {
		s.swept = now
		for key, seen := range s.seen {
			if now.Sub(seen.used) > staticsKnown {
				delete(s.seen, key)
			}
		}
	}
}

func (s *statics) add(row *rxcql.Row, column int) {
	b := row.Bytes(column)
	n := uint32(len(b))
	if b == nil {
		n = 1<<32 - 1
	}
	s.hash.Write(binary.BigEndian.AppendUint32(nil, n))
	s.hash.Write(b)
}

func (s *statics) sum() (sum [16]byte) {
	copy(sum[:], s.hash.Sum(nil))
	return sum
}
