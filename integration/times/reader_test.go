package times_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
)

// The independent reader: plain CQL, nothing of the toolkit.

// raw is a value as the server sent it.
type raw []byte

func (r *raw) UnmarshalCQL(_ gocql.TypeInfo, data []byte) error {
	if *r = nil; data != nil {
		*r = append(raw{}, data...)
	}
	return nil
}

// kept is what a table has of a row: values and write times as bytes, and when values expire.
type kept struct {
	values  map[string]string
	expires map[string][]int64 // seconds since 1970, 0 for never
}

// contents reads a table. Write times of lists are left out, because they are lossy; tuples are
// read as JSON, because the driver takes them apart.
func contents(t testing.TB, session *gocql.Session, table string, keys, columns, tuples, lists []string) map[string]kept {
	t.Helper()
	var names, terms []string
	add := func(name, term string) { names, terms = append(names, name), append(terms, term) }
	for _, c := range keys {
		add(c, c)
	}
	for _, c := range columns {
		add(c, c)
	}
	for _, c := range tuples {
		add(c, "toJson("+c+")")
	}
	all := append(append([]string{}, columns...), tuples...)
	for _, c := range all {
		add("WRITETIME("+c+")", "WRITETIME("+c+")")
	}
	for _, c := range append(all, lists...) {
		add("TTL("+c+")", "TTL("+c+")")
	}
	for _, c := range lists {
		add(c, c)
	}
	now := time.Now().Unix()
	iter := session.Query("SELECT " + strings.Join(terms, ", ") + " FROM " + table).Iter()
	rows := map[string]kept{}
	for {
		cells, dest := make([]raw, len(terms)), make([]any, len(terms))
		for i := range cells {
			dest[i] = &cells[i]
		}
		if !iter.Scan(dest...) {
			break
		}
		row := kept{map[string]string{}, map[string][]int64{}}
		key := ""
		for i, name := range names {
			switch {
			case i < len(keys):
				key += text(cells[i]) + " "
			case strings.HasPrefix(name, "TTL("):
				row.expires[name] = expiries(cells[i], now)
			default:
				row.values[name] = text(cells[i])
			}
		}
		require.NotContains(t, rows, key)
		rows[key] = row
	}
	require.NoError(t, iter.Close())
	return rows
}

func text(r raw) string {
	if r == nil {
		return "null"
	}
	return "0x" + hex.EncodeToString(r)
}

// expiries reads an int, or a list<int>, of seconds that are left.
func expiries(r raw, now int64) []int64 {
	one := func(b []byte) int64 { return now + int64(int32(binary.BigEndian.Uint32(b))) }
	switch {
	case r == nil:
		return nil
	case len(r) == 4 && binary.BigEndian.Uint32(r) > 0:
		return []int64{one(r)}
	}
	var all []int64
	for rest := r[4:]; len(rest) > 0; {
		size := int32(binary.BigEndian.Uint32(rest))
		rest = rest[4:]
		if size < 0 {
			all = append(all, 0)
			continue
		}
		all = append(all, one(rest))
		rest = rest[4:]
	}
	return all
}

// equal compares two tables: values and write times exactly, expiries within 2 s.
func equal(t testing.TB, want, got map[string]kept) {
	t.Helper()
	require.Len(t, got, len(want))
	for key, w := range want {
		g, found := got[key]
		require.True(t, found, key)
		require.Equal(t, w.values, g.values, key)
		require.Len(t, g.expires, len(w.expires))
		for name, expires := range w.expires {
			require.Len(t, g.expires[name], len(expires), "%s of %s", name, key)
			for i, e := range expires {
				if e == 0 {
					require.Zero(t, g.expires[name][i], "%s of %s", name, key)
				} else {
					require.InDelta(t, e, g.expires[name][i], 2, "%s of %s", name, key)
				}
			}
		}
	}
}

func exec(t testing.TB, session *gocql.Session, statements ...string) {
	t.Helper()
	for _, cql := range statements {
		require.NoError(t, session.Query(cql).Exec(), cql)
	}
}

// using is a USING of a write time and a time to live, 0 for none.
func using(time int64, ttl int) string {
	return fmt.Sprintf(" USING TIMESTAMP %d AND TTL %d ", time, ttl)
}
