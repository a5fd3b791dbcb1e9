// Package transfer moves whole tables: it copies them to another cluster, unloads them to files,
// loads files, counts rows, compares two tables and repairs what differs.
//
// It is made of the toolkit's own sources, operators and sinks. What you could not do with it you
// can do with those.
//
// Each verb is a job: its constructor (Copy, and so on) checks the options without any I/O, Plan
// says what a run would do and changes nothing, Run does it, Stop ends a run in order, and Progress
// says how far it is. With WithCheckpoint a run goes on where the one before ended, however that
// ended.
//
// What no tool can promise: a scan is no snapshot. Rows that are written while a table is read may
// be read or not. Deletions are not copied: a row that was deleted at the source, and that the
// target has, stays there.
package transfer
