package gravetest

import (
	"encoding/binary"
	"strings"

	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

func inTokens(s cqlfake.Statement, k []byte) bool {
	token := ring.Token(k)
	bound := func(i int) int64 { return int64(binary.BigEndian.Uint64(s.Values[i].Bytes)) } //nolint:gosec // its bits
	return token > bound(0) && token <= bound(1)
}

// inSlice reports whether a row is in what a statement asks for.
func inSlice(s cqlfake.Statement, row Row) bool {
	if !inTokens(s, row.K) {
		return false
	}
	_, conditions, _ := strings.Cut(s.CQL, "<= ? AND ")
	conditions, _, _ = strings.Cut(conditions, " /*") // the label of a pair's statement
	conditions = strings.TrimSuffix(conditions, " ALLOW FILTERING")
	for i, condition := range strings.Split(conditions, " AND ") {
		words := strings.Fields(condition)
		if len(words) == 0 {
			continue
		}
		order := strings.Compare(row.D, string(s.Values[2+i].Bytes))
		if words[0] == `"c"` {
			order = row.C - int(int32(binary.BigEndian.Uint32(s.Values[2+i].Bytes))) //nolint:gosec // its bits
		}
		holds := map[string]bool{"=": order == 0, "<": order < 0, "<=": order <= 0, ">": order > 0}[words[1]]
		if !holds {
			return false
		}
	}
	return true
}
