package codec

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gocql/gocql"
)

const hexDigits = "0123456789abcdef"

// appendUUID writes 36 characters with dashes, in lower case.
func appendUUID(dst []byte, u gocql.UUID) []byte {
	for i, b := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, hexDigits[b>>4], hexDigits[b&15])
	}
	return dst
}

// parseUUID reads 32 hexadecimal digits with or without the four dashes.
func parseUUID(s string) (u gocql.UUID, ok bool) {
	if len(s) == 36 {
		if s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
			return u, false
		}
	} else if len(s) != 32 {
		return u, false
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if len(s) == 36 && (i == 8 || i == 13 || i == 18 || i == 23) {
			continue
		}
		d := strings.IndexByte(hexDigits, s[i]|0x20)
		if d < 0 || s[i] < '0' {
			return u, false
		}
		u[n/2] = u[n/2]<<4 | byte(d)
		n++
	}
	return u, true
}

// appendDate writes year-month-day; years before 0 have a sign, those after 9999 more digits, as
// CQL writes them.
func appendDate(dst []byte, days int32) []byte {
	y, m, d := time.Unix(int64(days)*(millisPerDay/1000), 0).UTC().Date()
	return appendDay(dst, y, int(m), d)
}

func appendDay(dst []byte, y, m, d int) []byte {
	if y < 0 {
		dst, y = append(dst, '-'), -y
	}
	for limit := 1000; limit > 1 && y < limit; limit /= 10 {
		dst = append(dst, '0')
	}
	dst = strconv.AppendInt(dst, int64(y), 10)
	dst = append(dst, '-', byte('0'+m/10), byte('0'+m%10))
	return append(dst, '-', byte('0'+d/10), byte('0'+d%10))
}

// parseDate reads what appendDate writes, and only days that exist.
func parseDate(s string) (days int32, ok bool) {
	if len(s) < len("0000-00-00") || s[len(s)-3] != '-' || s[len(s)-6] != '-' {
		return 0, false
	}
	year, month, day := s[:len(s)-6], s[len(s)-5:len(s)-3], s[len(s)-2:]
	digits := strings.TrimPrefix(year, "-")
	y, err := strconv.Atoi(year)
	if err != nil || len(digits) < 4 || len(digits) > 7 || !allDigits(digits) || !allDigits(month) || !allDigits(day) {
		return 0, false
	}
	m, d := int(month[0]-'0')*10+int(month[1]-'0'), int(day[0]-'0')*10+int(day[1]-'0')
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if m < 1 || m > 12 || t.Day() != d {
		return 0, false
	}
	return daysOf(t)
}

// daysOf gives the UTC day that t falls on, counted from 1970-01-01.
func daysOf(t time.Time) (days int32, ok bool) {
	const secondsPerDay = millisPerDay / 1000
	sec := t.Unix()
	n := sec / secondsPerDay
	if sec%secondsPerDay < 0 {
		n--
	}
	return int32(n), int64(int32(n)) == n
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// addrOf reads an inet's 4 or 16 bytes.
func addrOf(data []byte) (netip.Addr, error) {
	a, ok := netip.AddrFromSlice(data)
	if !ok {
		return a, corrupt("an inet of %d bytes", len(data))
	}
	return a, nil
}
