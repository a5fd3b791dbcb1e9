package cqlfake

import (
	"bytes"
	"encoding/binary"

	"github.com/datastax/go-cassandra-native-protocol/message"
)

// position is what a page state says: behind which row the next page begins, and how
// many rows the LIMIT leaves.
type position struct {
	remaining int64
	begun     bool
	key       string   // of the partition
	row       [][]byte // its clustering columns
}

func (at *position) after(f found) {
	at.begun, at.key, at.row = true, f.partition.key, nil
	if f.row != nil {
		at.row = f.row.key
	}
}

const stateMagic = "cqlfake1"

func (at *position) state() []byte {
	b := binary.AppendUvarint([]byte(stateMagic), uint64(at.remaining))
	if !at.begun {
		return b
	}
	for _, part := range append([][]byte{[]byte(at.key)}, at.row...) {
		b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
	}
	return b
}

// positionOf reads a page state.
func positionOf(state []byte) (at position) {
	rest, ours := bytes.CutPrefix(state, []byte(stateMagic))
	take := func() uint64 {
		v, n := binary.Uvarint(rest)
		if n <= 0 || !ours {
			refuse(&message.ProtocolError{ErrorMessage: "Invalid value for the paging state"})
		}
		rest = rest[n:]
		return v
	}
	at.remaining = int64(take())
	var parts [][]byte
	for len(rest) > 0 {
		n := take()
		if n > uint64(len(rest)) {
			refuse(&message.ProtocolError{ErrorMessage: "Invalid value for the paging state"})
		}
		parts = append(parts, rest[:n])
		rest = rest[n:]
	}
	if at.begun = parts != nil; at.begun {
		at.key, at.row = string(parts[0]), parts[1:]
	}
	return at
}
