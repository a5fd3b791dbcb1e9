package source_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"
)

// orderedValues are some of each type, in no order.
var orderedValues = func() map[string][]asSent {
	all := map[string][]asSent{}
	for typ, width := range map[string]int{"tinyint": 1, "smallint": 2, "int": 4, "bigint": 8, "date": 4, "timestamp": 8} {
		for _, first := range []byte{0x00, 0xff, 0x7f, 0x80, 0x01, 0xfe} {
			all[typ] = append(all[typ], append(asSent{first}, "1234567"[:width-1]...))
		}
	}
	all["time"] = []asSent{asSent("\x00\x00\x20\x00\x00\x00\x00\x00"), make(asSent, 8), asSent("\x00\x00\x00\x00\x00\x00\x00\xff")}
	for _, s := range []string{"b", "", "a", "ab", "B", "~", "aa"} {
		all["ascii"] = append(all["ascii"], asSent(s))
		all["text"] = append(all["text"], asSent(s+"\u00e9"))
		all["blob"] = append(all["blob"], asSent(s+"\xff"))
	}
	all["boolean"] = []asSent{{1}, {0}, {1}}
	for _, v := range []float64{1, -1, 0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 1e-30} {
		all["double"] = append(all["double"], binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
		all["float"] = append(all["float"], binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(v))))
	}
	for _, s := range []string{"10.0.0.1", "9.0.0.1", "200.0.0.1", "fe80::1", "::2"} {
		ip := netip.MustParseAddr(s)
		all["inet"] = append(all["inet"], ip.AsSlice())
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 24 {
		u := make(asSent, 16)
		binary.BigEndian.PutUint64(u, random.Uint64())
		binary.BigEndian.PutUint64(u[8:], random.Uint64())
		u[6] = u[6]&0x0f | byte(1+i%5)<<4
		u[8] = u[8]&0x3f | 0x80
		all["uuid"] = append(all["uuid"], u)
		u = append(asSent{}, u...)
		u[6] = u[6]&0x0f | 0x10
		if i%3 == 0 && i > 0 { // the same time
			copy(u, all["timeuuid"][i-1][:9]) // and the first byte behind it: the next one decides, with its sign
		}
		all["timeuuid"] = append(all["timeuuid"], u)
	}
	return all
}()
