// Package pace keeps a run of the command within a rate that the user gives, and below the answer
// times that the servers are to keep.
package pace

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rxcql/rxcql"
)

// Limit is a rate as the user gave it. The zero Limit is none.
type Limit struct {
	Rows, Bytes float64 // a second; 0 for no limit
}

// units are what may follow the number of a rate, in lower case. Bytes have a B.
var units = map[string]struct {
	times float64
	bytes bool
}{
	"": {1, false}, "rows": {1, false}, "row": {1, false},
	"k": {1e3, false}, "m": {1e6, false},
	"b": {1, true}, "kb": {1e3, true}, "mb": {1e6, true}, "gb": {1e9, true},
	"kib": {1 << 10, true}, "mib": {1 << 20, true}, "gib": {1 << 30, true},
}

// ParseLimit reads a rate: 5000, 5000rows, 20k (rows a second), or 10MB, 512KiB (bytes a second),
// each with or without /s behind it. With a comma there are both.
func ParseLimit(text string) (l Limit, err error) {
	if text == "" {
		return Limit{}, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSuffix(strings.TrimSpace(part), "/s")
		at := strings.IndexFunc(part, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if at < 0 {
			at = len(part)
		}
		n, err := strconv.ParseFloat(part[:at], 64)
		unit, known := units[strings.ToLower(strings.TrimSpace(part[at:]))]
		if err != nil || !known || n <= 0 {
			return Limit{}, fmt.Errorf("a rate is rows a second (5000, 20k) or bytes a second (10MB, 512KiB), not %q", text)
		}
		to := &l.Rows
		if unit.bytes {
			to = &l.Bytes
		}
		if *to != 0 {
			return Limit{}, fmt.Errorf("the rate %q has two limits of the same kind: give one of rows and one of bytes", text)
		}
		*to = n * unit.times
	}
	return l, nil
}

// Rate returns the Rate that all jobs of a run share; nil if there is nothing to limit. With
// governed it has a limit of rows in any case, for a Governor to set.
func (l Limit) Rate(governed bool) *rxcql.Rate {
	var opts []rxcql.RateOption
	switch {
	case l.Rows > 0:
		opts = append(opts, rxcql.RowsPerSecond(l.Rows))
	case governed:
		opts = append(opts, rxcql.RowsPerSecond(rxcql.Unlimited))
	}
	if l.Bytes > 0 {
		opts = append(opts, rxcql.BytesPerSecond(l.Bytes))
	}
	if len(opts) == 0 {
		return nil
	}
	return rxcql.NewRate(opts...)
}

// ParseBytes reads a number of bytes: 33554432, 32MiB, 64MB.
func ParseBytes(text string) (int64, error) {
	l, err := ParseLimit(strings.TrimSpace(text))
	n := l.Bytes
	if n == 0 && strings.Trim(text, "0123456789") == "" {
		n = l.Rows
	}
	if err != nil || n < 1 || strings.ContainsAny(text, ",/") {
		return 0, fmt.Errorf("a number of bytes is 33554432, 32MiB or 64MB, not %q", text)
	}
	return int64(n), nil
}
