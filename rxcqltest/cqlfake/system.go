package cqlfake

import (
	"fmt"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
)

const tableOptions = `additional_write_policy text, allow_auto_snapshot boolean, bloom_filter_fp_chance double,
	caching frozen<map<text, text>>, cdc boolean, comment text, compaction frozen<map<text, text>>, compression frozen<map<text, text>>,
	crc_check_chance double, dclocal_read_repair_chance double, default_time_to_live int, extensions frozen<map<text, blob>>,
	gc_grace_seconds int, id uuid, incremental_backups boolean, max_index_interval int, memtable text,
	memtable_flush_period_in_ms int, min_index_interval int, read_repair text, read_repair_chance double, speculative_retry text`

const columnOptions = `(keyspace_name text, table_name text, column_name text, clustering_order text, column_name_bytes blob,
	kind text, position int, type text, PRIMARY KEY (keyspace_name, table_name, column_name))`

// systemTables are those that the driver and the toolkit read, as Cassandra 5.0 has them.
var systemTables = []string{
	`system.local (key text PRIMARY KEY, bootstrapped text, broadcast_address inet, broadcast_port int, cluster_name text,
		cql_version text, data_center text, gossip_generation int, host_id uuid, listen_address inet, listen_port int,
		native_protocol_version text, partitioner text, rack text, release_version text, rpc_address inet, rpc_port int,
		schema_version uuid, tokens set<text>, truncated_at map<uuid, blob>)`,
	`system.peers_v2 (peer inet, peer_port int, data_center text, host_id uuid, native_address inet, native_port int,
		preferred_ip inet, preferred_port int, rack text, release_version text, schema_version uuid, tokens set<text>,
		PRIMARY KEY (peer, peer_port))`,
	`system.peers (peer inet PRIMARY KEY, data_center text, host_id uuid, preferred_ip inet, rack text, release_version text,
		rpc_address inet, schema_version uuid, tokens set<text>)`,
	`system_schema.keyspaces (keyspace_name text PRIMARY KEY, durable_writes boolean, replication frozen<map<text, text>>)`,
	`system_schema.tables (keyspace_name text, table_name text, flags frozen<set<text>>, ` + tableOptions + `,
		PRIMARY KEY (keyspace_name, table_name))`,
	`system_schema.views (keyspace_name text, view_name text, base_table_id uuid, base_table_name text, include_all_columns boolean,
		where_clause text, ` + tableOptions + `, PRIMARY KEY (keyspace_name, view_name))`,
	`system_schema.columns ` + columnOptions,
	`system_schema.dropped_columns (keyspace_name text, table_name text, column_name text, dropped_time timestamp, kind text,
		type text, PRIMARY KEY (keyspace_name, table_name, column_name))`,
	`system_schema.types (keyspace_name text, type_name text, field_names frozen<list<text>>, field_types frozen<list<text>>,
		PRIMARY KEY (keyspace_name, type_name))`,
	`system_schema.functions (keyspace_name text, function_name text, argument_types frozen<list<text>>,
		argument_names frozen<list<text>>, body text, called_on_null_input boolean, language text, return_type text,
		PRIMARY KEY (keyspace_name, function_name, argument_types))`,
	`system_schema.aggregates (keyspace_name text, aggregate_name text, argument_types frozen<list<text>>, final_func text,
		initcond text, return_type text, state_func text, state_type text, PRIMARY KEY (keyspace_name, aggregate_name, argument_types))`,
	`system_schema.indexes (keyspace_name text, table_name text, index_name text, kind text, options frozen<map<text, text>>,
		PRIMARY KEY (keyspace_name, table_name, index_name))`,
	`system_virtual_schema.keyspaces (keyspace_name text PRIMARY KEY)`,
	`system_virtual_schema.tables (keyspace_name text, table_name text, comment text, PRIMARY KEY (keyspace_name, table_name))`,
	`system_virtual_schema.columns ` + columnOptions,
}

var systemKeyspaces = []string{"system", "system_schema", "system_virtual_schema"}

// createSystem makes the tables of a server without any others. Those of the system
// keyspaces do not list themselves.
func (s *Server) createSystem() {
	for _, keyspace := range systemKeyspaces {
		s.keyspaces[keyspace] = true
	}
	for _, definition := range systemTables {
		err := caught(func() {
			p := &parser{server: s, tokens: lex(definition)}
			p.createTable(true)()
			p.end()
		})
		if err != nil {
			panic(fmt.Sprint(definition, ": ", err))
		}
	}
	s.put("system.local", fields{
		"key": "local", "bootstrapped": "COMPLETED", "cluster_name": "cqlfake", "cql_version": "3.4.7", "data_center": "datacenter1",
		"rack": "rack1", "host_id": gocql.TimeUUID(), "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
		"native_protocol_version": "4", "release_version": "5.0.6", "broadcast_address": s.ip, "listen_address": s.ip,
		"rpc_address": s.ip, "rpc_port": s.port, "tokens": []string{"0"},
	})
	s.changed(primitive.SchemaChangeTypeCreated, "", primitive.SchemaChangeTargetKeyspace, "")
}

// Tokens gives the node other tokens, which cut the ring into ranges: those of sessions that
// connect from now on. A new server has 0 alone.
func (s *Server) Tokens(tokens ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put("system.local", fields{"key": "local", "tokens": tokens})
}

// fields is a row of a system table, by columns.
type fields map[string]any

// put writes a row of a system table.
func (s *Server) put(name string, values fields) {
	t := s.systemTable(name)
	row := t.row(t.make(t.cells(t.partition, values)), t.cells(t.clustering, values))
	for _, c := range t.columns {
		if v, given := values[c.name]; given && !c.key {
			row.cells[c] = cell{at: 1, value: marshalled(c, v)}
		}
	}
	row.marker = cell{at: 1}
}

func (t *table) cells(columns []*column, values fields) [][]byte {
	cells := make([][]byte, len(columns))
	for i, c := range columns {
		cells[i] = marshalled(c, values[c.name])
	}
	return cells
}

func marshalled(c *column, v any) []byte {
	b, err := gocql.Marshal(c.typ.Info(), v)
	if err != nil {
		panic(fmt.Sprint(c.name, ": ", err))
	}
	return b
}

func (s *Server) systemTable(name string) *table {
	for _, t := range s.tables {
		if t.system && t.String() == name {
			return t
		}
	}
	panic("no table " + name)
}

// forget removes the rows of system tables that are about a keyspace, or what has a name in it by
// the column that comes next.
func (s *Server) forget(keyspace, column, name string) {
	for _, t := range s.tables {
		if !t.system || t.keyspace != "system_schema" {
			continue
		}
		p := t.find(keyspace)
		switch {
		case p == nil:
		case column == "":
			p.rows = nil
		case len(t.clustering) > 0 && t.clustering[0].name == column:
			var kept []*row
			for _, r := range p.rows {
				if string(r.key[0]) != name {
					kept = append(kept, r)
				}
			}
			p.rows = kept
		}
	}
}

func (s *Server) addKeyspace(name string, replication map[string]string, durable bool) {
	s.keyspaces[name] = true
	if class := replication["class"]; class == "SimpleStrategy" || class == "NetworkTopologyStrategy" {
		replication["class"] = "org.apache.cassandra.locator." + class
	}
	s.put("system_schema.keyspaces", fields{"keyspace_name": name, "durable_writes": durable, "replication": replication})
}

func (s *Server) addTable(t *table) {
	s.tables[t.tableName] = t
	if t.system {
		return
	}
	flags := []string{"compound"}
	if t.counter {
		flags = append(flags, "counter")
	}
	s.put("system_schema.tables", fields{
		"keyspace_name": t.keyspace, "table_name": t.name, "id": t.id, "flags": flags, "default_time_to_live": int(t.ttl),
		"additional_write_policy": "99p", "allow_auto_snapshot": true, "bloom_filter_fp_chance": 0.01,
		"caching": map[string]string{"keys": "ALL", "rows_per_partition": "NONE"}, "cdc": false, "comment": "",
		"compaction":       map[string]string{"class": "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy", "max_threshold": "32", "min_threshold": "4"},
		"compression":      map[string]string{"chunk_length_in_kb": "16", "class": "org.apache.cassandra.io.compress.LZ4Compressor"},
		"crc_check_chance": 1.0, "dclocal_read_repair_chance": 0.0, "extensions": map[string][]byte{}, "gc_grace_seconds": 864000,
		"incremental_backups": true, "max_index_interval": 2048, "memtable_flush_period_in_ms": 0, "min_index_interval": 128,
		"read_repair": "BLOCKING", "read_repair_chance": 0.0, "speculative_retry": "99p",
	})
	s.describe(t)
}

// describe puts the columns of a table into the system's.
func (s *Server) describe(t *table) {
	add := func(c *column, kind string, position int, order string) {
		s.put("system_schema.columns", fields{
			"keyspace_name": t.keyspace, "table_name": t.name, "column_name": c.name, "column_name_bytes": []byte(c.name),
			"kind": kind, "position": position, "clustering_order": order, "type": c.typ.String(),
		})
	}
	for i, c := range t.partition {
		add(c, "partition_key", i, "none")
	}
	for i, c := range t.clustering {
		order := "asc"
		if c.desc {
			order = "desc"
		}
		add(c, "clustering", i, order)
	}
	for _, c := range t.columns {
		switch {
		case c.key:
		case c.static:
			add(c, "static", -1, "none")
		default:
			add(c, "regular", -1, "none")
		}
	}
}

func (s *Server) dropTable(name tableName) message.Message {
	if s.tables[name].system {
		refuse(&message.Unauthorized{ErrorMessage: name.keyspace + " keyspace is not user-modifiable."})
	}
	delete(s.tables, name)
	s.forget(name.keyspace, "table_name", name.name)
	s.forgetStatements(name)
	return s.changed(primitive.SchemaChangeTypeDropped, name.keyspace, primitive.SchemaChangeTargetTable, name.name)
}

// forgetStatements has statements about a table prepared again.
func (s *Server) forgetStatements(name tableName) {
	for id, made := range s.prepared {
		if made.table != nil && made.table.tableName == name {
			delete(s.prepared, id)
		}
	}
}

func (s *Server) dropKeyspace(name string) message.Message {
	for _, system := range systemKeyspaces {
		if name == system {
			refuse(&message.Unauthorized{ErrorMessage: name + " keyspace is not user-modifiable."})
		}
	}
	if !s.keyspaces[name] {
		return &message.VoidResult{}
	}
	for other := range s.tables {
		if other.keyspace == name {
			s.dropTable(other)
		}
	}
	for other := range s.types {
		if other.keyspace == name {
			delete(s.types, other)
		}
	}
	delete(s.keyspaces, name)
	s.forget(name, "", "")
	return s.changed(primitive.SchemaChangeTypeDropped, name, primitive.SchemaChangeTargetKeyspace, "")
}

// changed gives the schema a new version and says what became of it.
func (s *Server) changed(how primitive.SchemaChangeType, keyspace string, what primitive.SchemaChangeTarget, name string) message.Message {
	if t := s.tables[tableName{"system", "local"}]; t != nil && len(t.partitions) > 0 {
		s.put("system.local", fields{"key": "local", "schema_version": gocql.TimeUUID()})
	}
	return &message.SchemaChangeResult{ChangeType: how, Target: what, Keyspace: keyspace, Object: name}
}
