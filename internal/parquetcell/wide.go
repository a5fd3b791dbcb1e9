package parquetcell

import (
	"encoding/binary"
	"errors"
	"math/big"

	"github.com/gocql/gocql"
	"github.com/parquet-go/parquet-go"

	"github.com/rxcql/rxcql/internal/codec"
)

// appendVarint appends a number in two's complement, in as few bytes as it can be had.
func appendVarint(dst []byte, n *big.Int) []byte {
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0] >= 0x80 {
			dst = append(dst, 0)
		}
		return append(dst, b...)
	}
	bits := new(big.Int).Not(n).BitLen() // of -n-1: how many bits stand after the sign
	size := bits/8 + 1
	wrapped := new(big.Int).Lsh(big.NewInt(1), uint(8*size)) //nolint:gosec // a length
	return append(dst, wrapped.Add(wrapped, n).Bytes()...)
}

// fromTwosComplement reads a number of any length, the highest byte first.
func fromTwosComplement(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b)))) //nolint:gosec // a length
	}
	return n
}

// interval reads an INTERVAL: three unsigned numbers of four bytes, the lowest byte first: months,
// days and milliseconds.
func interval(dst []byte, v parquet.Value) ([]byte, error) {
	b := v.ByteArray()
	if len(b) != 12 {
		return dst, errors.New("an INTERVAL has 12 bytes")
	}
	months, days := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	if months > 1<<31-1 || days > 1<<31-1 {
		return dst, errRange
	}
	d := gocql.Duration{
		Months: int32(months), Days: int32(days),
		Nanoseconds: int64(binary.LittleEndian.Uint32(b[8:])) * 1e6,
	}
	text, err := codec.AppendDuration(nil, d)
	if err != nil {
		return dst, err
	}
	return codec.ParseText(dst, &codec.Type{Kind: codec.Duration}, text)
}
