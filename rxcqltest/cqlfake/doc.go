// Package cqlfake is a Cassandra of one node in the process of a test. It speaks protocol 4 with
// gocql, keeps tables with their rows, gives pages, and fails when the test wants it to: pipelines
// are tested without a server, with the sources and sinks that they run with.
//
//	synctest.Test(t, func(t *testing.T) {
//		server := cqlfake.New(t)
//		server.Keyspace("shop", "orders (id int PRIMARY KEY, euros int)")
//		server.Exec("INSERT INTO shop.orders (id, euros) VALUES (1, 20)")
//		server.ControlOnce(func(r *cqlfake.Request) *cqlfake.Reply {
//			if r.Reads("shop.orders") {
//				return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
//			}
//			return nil
//		})
//		session := server.Session("shop")
//		… // run the pipeline
//	})
//
// # Where it runs
//
// By default there is no network: connections are pipes in memory. So all of it, the driver
// included, runs in a bubble of testing/synctest, where time is fake: latencies, retries, timeouts
// and TTLs of hours take no time. Make the server and the session inside the bubble. With Loopback
// it listens on 127.0.0.1, for programs and drivers that must connect.
//
// # What it knows
//
// It knows what the toolkit's own sources and sinks send:
//   - CREATE KEYSPACE, CREATE TYPE, CREATE TABLE with static columns, clustering orders and
//     default_time_to_live, DROP of all three, ALTER TABLE ADD, TRUNCATE and USE;
//   - INSERT, UPDATE and DELETE by primary key, DELETE of a partition, with USING TIMESTAMP and
//     TTL, with constants or bound values, null and unset; batches, also as one statement;
//   - collections, tuples and user-defined types, frozen or not, as whole values;
//   - counters: UPDATE … SET c = c + ?, and counter batches;
//   - lightweight transactions of one row: IF NOT EXISTS, IF EXISTS, IF column = value;
//   - SELECT of columns, WRITETIME, TTL, token and toTimestamp(now()), of the whole table, a range
//     of tokens, or partitions with conditions on their clustering columns, also with IN, with
//     LIMIT, in pages; of a range of tokens such conditions with ALLOW FILTERING too, and PER
//     PARTITION LIMIT 1;
//   - ORDER BY, in the order of the clustering key or its reverse;
//   - the system tables that the driver and the toolkit read.
//
// Writes are kept as Cassandra keeps them, by timestamps, tombstones and expiry. What it answers is
// held against Cassandra 5.0 by tests of this repository. Anything else gets an error with the
// words "cqlfake does not know" that names it: among these are
//   - elements of collections and fields of user-defined types by themselves: m['k'], l + [1];
//   - counters that are counted on after they were deleted;
//   - ALTER TABLE of any other kind, and ADD of a counter or to a table of counters; ALTER TYPE,
//     indexes and views;
//   - IF in a batch, with other operators than =, on tables with static columns, or on collections
//     and types that are not frozen;
//   - WRITETIME and TTL of counters, and of collections and types that are not frozen;
//   - sets and maps whose keys are of types that consist of others, and such clustering columns;
//   - ORDER BY together with IN on the partition key;
//   - aggregates, DISTINCT, GROUP BY, other uses of PER PARTITION LIMIT and ALLOW FILTERING, JSON,
//     and DELETE of a range of rows;
//   - logins and TLS.
//
// It has no tombstone or size limits, and only one node, so consistency levels mean nothing.
// Sessions get no events: what one changes in the schema, the caches of another's driver learn
// late.
//
// # Control
//
// Control and ControlOnce add functions that see each request before it is answered, and may answer
// it instead: with an error (Fail), any message (Answer), an empty page that is not the last
// (EmptyPage), never (Silence), or by a break of the connection (Drop). Reply.Applied carries a
// request out first, so that a write is applied although the client gets an error. Reply.After and
// Reply.When make it wait. Requests, InFlight and MaxInFlight count.
package cqlfake
