package source_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

func errorsIsAny(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// arrivalsPlace is a tail of rows that arrived in the last days, two minutes apart.
func arrivalsPlace(t testing.TB, shards int) rxcqltest.SourcePlace[arrival] {
	server := cqlfake.New(t)
	server.Keyspace("iot")
	session := server.Session("")
	begin := time.Now().Add(-72 * time.Hour).Truncate(24 * time.Hour).Add(23*time.Hour + 30*time.Minute).UTC()
	tables := map[int]string{}
	fill := func(rows int) string {
		if tables[rows] != "" {
			return tables[rows]
		}
		table := fmt.Sprint("raw", rows)
		tables[rows] = "iot." + table
		server.Exec("CREATE TABLE iot." + table + " (day date, shard int, arrived timestamp, id bigint, v text, PRIMARY KEY ((day, shard), arrived, id))")
		for id := range rows {
			at := begin.Add(time.Duration(id) * 2 * time.Minute)
			server.Exec(fmt.Sprintf("INSERT INTO iot.%s (day, shard, arrived, id) VALUES ('%s', %d, '%s', %d)",
				table, at.Format(time.DateOnly), id%shards, at.Format("2006-01-02T15:04:05.000Z"), id))
		}
		return "iot." + table
	}
	buckets := source.Buckets{Columns: []string{"day"}, Size: 24 * time.Hour, Shard: "shard", Shards: shards, Arrived: "arrived"}
	tail := func(rows int, opts ...source.TailOption) rxcql.Stream[arrival] {
		return source.Tail[arrival](session, fill(rows), buckets,
			append([]source.TailOption{source.TailFrom(begin), source.PageRows(4), source.PollEvery(5 * time.Millisecond)}, opts...)...)
	}
	until := source.TailUntil(begin.Add(24 * time.Hour))
	return rxcqltest.SourcePlace[arrival]{
		Stream:    func(rows int) rxcql.Stream[arrival] { return tail(rows, until) },
		Number:    func(row arrival) int { return int(row.ID) },
		Unordered: shards > 1,
		Fails: func(rows int) (rxcql.Stream[arrival], error) {
			table := fill(rows)
			server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
				if r.Reads(table) && len(r.Statements[0].Values) > 0 && isLater(r.Statements[0].Values[0].Bytes, begin.Add(24*time.Hour)) {
					return cqlfake.Fail(&message.Invalid{ErrorMessage: "broken on purpose"})
				}
				return nil
			})
			return tail(rows), nil
		},
		Stalls: func(rows int) rxcql.Stream[arrival] { return tail(rows) },
	}
}

// isLater reports whether the bytes of a date are those of a later day than that of a moment.
func isLater(date []byte, than time.Time) bool {
	day := int64(date[0])<<24 | int64(date[1])<<16 | int64(date[2])<<8 | int64(date[3])
	return day-1<<31 > than.Unix()/86400
}

func TestConformanceOfATail(t *testing.T) {
	for name, shards := range map[string]int{"one partition a bucket": 1, "three": 3} {
		t.Run(name, func(t *testing.T) {
			rxcqltest.TestSource(t, func(t testing.TB) rxcqltest.SourcePlace[arrival] { return arrivalsPlace(t, shards) })
		})
	}
}
