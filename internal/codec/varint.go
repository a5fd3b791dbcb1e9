package codec

import (
	"encoding/binary"
	"math/big"
	"math/bits"
)

// A varint is a whole number in two's complement, most significant byte first, in as few bytes as
// hold it and at least one. More bytes than needed are read but never written.

// setBig reads a varint into z, which is zero before.
func (s *decodeState) setBig(z *big.Int, data []byte) {
	s.kept += len(data)
	if len(data) > 0 {
		data = trimVarint(data)
	}
	switch {
	case len(data) == 0 || len(data) == 1 && data[0] == 0:
		return // so that every zero is the zero value, which an empty slice of digits is not
	case data[0] < 0x80:
		z.SetBytes(data)
		return
	}
	s.scratch = s.scratch[:0]
	for _, b := range data {
		s.scratch = append(s.scratch, ^b)
	}
	z.Not(z.SetBytes(s.scratch))
}

// trimVarint drops leading bytes that only repeat the sign.
func trimVarint(data []byte) []byte {
	for len(data) > 1 && (data[0] == 0 && data[1] < 0x80 || data[0] == 0xff && data[1] >= 0x80) {
		data = data[1:]
	}
	return data
}

func varintInt64(data []byte) (int64, error) {
	data = trimVarint(data)
	if len(data) > 8 {
		return 0, ErrRange
	}
	var v int64
	if data[0] >= 0x80 {
		v = -1
	}
	for _, b := range data {
		v = v<<8 | int64(b)
	}
	return v, nil
}

func varintUint64(data []byte) (uint64, error) {
	data = trimVarint(data)
	if data[0] >= 0x80 || len(data) > 9 || len(data) == 9 && data[0] != 0 {
		return 0, ErrRange
	}
	var v uint64
	for _, b := range data {
		v = v<<8 | uint64(b)
	}
	return v, nil
}

func appendVarint(buf []byte, v int64) []byte {
	magnitude := uint64(v)
	if v < 0 {
		magnitude = ^magnitude
	}
	n := bits.Len64(magnitude)/8 + 1
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(v))
	return append(buf, b[8-n:]...)
}

func appendVarintUint(buf []byte, v uint64) []byte {
	if v > 1<<63-1 {
		buf = append(buf, 0)
		return binary.BigEndian.AppendUint64(buf, v)
	}
	return appendVarint(buf, int64(v))
}

func appendBig(buf []byte, z *big.Int) []byte {
	if z.IsInt64() {
		return appendVarint(buf, z.Int64())
	}
	digits := z
	if z.Sign() < 0 {
		digits = new(big.Int).Not(z)
	}
	start := len(buf)
	buf = append(buf, make([]byte, digits.BitLen()/8+1)...)
	digits.FillBytes(buf[start:])
	if z.Sign() < 0 {
		for i := start; i < len(buf); i++ {
			buf[i] = ^buf[i]
		}
	}
	return buf
}
