package cqltest

import (
	"bytes"
	"strings"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
)

// cell is a column of a system table with its value in the one row.
type cell struct {
	name  string
	typ   datatype.DataType
	value []byte
}

// rows are the system tables that have a row, which is the answer to any WHERE.
var rows = map[string][]cell{
	"system.local": {
		{"key", datatype.Varchar, []byte("local")}, {"cluster_name", datatype.Varchar, []byte("scripted")},
		{"data_center", datatype.Varchar, []byte("dc1")}, {"rack", datatype.Varchar, []byte("rack1")},
		{"host_id", datatype.Uuid, bytes.Repeat([]byte{7}, 16)}, {"rpc_address", datatype.Inet, []byte{127, 0, 0, 1}},
		{"partitioner", datatype.Varchar, []byte("org.apache.cassandra.dht.Murmur3Partitioner")},
		{"release_version", datatype.Varchar, []byte("4.0.0")}, {"schema_version", datatype.Uuid, bytes.Repeat([]byte{8}, 16)},
		{"tokens", datatype.NewSet(datatype.Varchar), []byte{0, 0, 0, 1, 0, 0, 0, 1, '0'}},
	},
	"system_schema.tables": {
		{"id", datatype.Uuid, bytes.Repeat([]byte{9}, 16)}, {"flags", datatype.NewSet(datatype.Varchar), nil},
		{"default_time_to_live", datatype.Int, nil},
	},
	"system_schema.columns": {
		{"column_name", datatype.Varchar, []byte("v")}, {"kind", datatype.Varchar, []byte("partition_key")},
		{"position", datatype.Int, []byte{0, 0, 0, 0}}, {"type", datatype.Varchar, []byte("int")},
		{"clustering_order", datatype.Varchar, []byte("none")},
	},
}

// system answers a SELECT from a system table: with its row, or with none.
func system(cql string) *message.RowsResult {
	wanted, from, _ := strings.Cut(strings.TrimPrefix(cql, "SELECT "), " FROM ")
	table, _, _ := strings.Cut(from, " ")
	cells, known := rows[table]
	if !known {
		cells = rows["system.local"] // the peers have most of its columns
	}
	result := &message.RowsResult{Metadata: &message.RowsMetadata{}}
	var row message.Row
	add := func(c cell) {
		result.Metadata.Columns = append(result.Metadata.Columns, named(c.name, c.typ))
		row = append(row, c.value)
	}
	names := strings.Split(wanted, ", ")
	if wanted == "*" {
		for _, c := range cells {
			add(c)
		}
		names = nil
	}
	for _, name := range names {
		for _, c := range cells {
			if c.name == name {
				add(c)
			}
		}
	}
	result.Metadata.ColumnCount = int32(len(row))
	if known {
		result.Data = message.RowSet{row}
	}
	return result
}
