// Package checkpoint keeps the checkpoints of jobs (rxcql.WithCheckpoint): File
// in a file, for jobs that run on one machine, and Table in a table of
// Cassandra, for jobs that may run on any.
//
// Both let one process at a time work on a job, return exactly the bytes that were saved last, and
// show nothing of them in errors. Making a store does no I/O. What is wrong with its arguments is
// returned by Lock, and before that by its method ConfigError (rxcql.ConfigChecker), which New
// calls.
package checkpoint
