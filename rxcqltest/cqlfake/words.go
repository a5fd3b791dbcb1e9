package cqlfake

import "strings"

// reserved are the words that are no names unless they are in quotes.
var reserved = func() map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.Fields(`add allow alter and apply asc authorize batch begin by columnfamily create delete desc describe drop entries
		execute from full grant if in index infinity insert into is keyspace limit materialized modify nan
		norecursive not null of on or order primary rename revoke schema select set table to token truncate
		unlogged update use using view where with`) {
		words[w] = true
	}
	return words
}()

// tableOptionNames are options of a table that are of no consequence for what is answered.
var tableOptionNames = func() map[string]bool {
	known := map[string]bool{}
	for _, name := range strings.Fields(`additional_write_policy allow_auto_snapshot bloom_filter_fp_chance caching cdc comment
		compaction compression crc_check_chance extensions gc_grace_seconds incremental_backups max_index_interval memtable
		memtable_flush_period_in_ms min_index_interval read_repair speculative_retry`) {
		known[name] = true
	}
	return known
}()
